import { useMemo, useState } from "react";
import { Button } from "./button";
import { cx } from "./cx";
import { plural } from "./format";
import { wordDiff, type Piece } from "./wordDiff";

/** Characters of a side that are compared; more would hold the page up. */
const COMPARED = 200_000;
/** Characters around a difference that stay when the rest is folded. */
const CONTEXT = 240;

/** Two texts as one: what went is struck out, what came is underlined. Long stretches without a difference are folded. */
export function WordDiff({ before, after, mono }: { before: string; after: string; mono?: boolean }) {
  const [whole, setWhole] = useState(false);
  const cut = before.length > COMPARED || after.length > COMPARED;
  const pieces = useMemo(() => wordDiff(before.slice(0, COMPARED), after.slice(0, COMPARED)), [before, after]);
  const shown = useMemo(() => (whole ? pieces : folded(pieces)), [pieces, whole]);
  const hidden = shown !== pieces && shown.some((piece) => "hidden" in piece);
  return (
    <div>
      {cut && <p className="mb-1 text-muted">Compared are the first {plural(COMPARED, "character")} of each.</p>}
      <pre dir="auto" className={cx("break-words whitespace-pre-wrap", mono ? "font-mono text-xs leading-5" : "font-sans")}>
        {shown.map((piece, index) =>
          "hidden" in piece ? (
            <span key={index} className="text-muted">
              {`\n⋯ ${plural(piece.hidden, "character")} the same ⋯\n`}
            </span>
          ) : piece.kind === "same" ? (
            <span key={index}>{piece.text}</span>
          ) : piece.kind === "removed" ? (
            <del key={index} className="rounded-sm bg-bad-soft text-bad line-through decoration-1">
              {piece.text}
            </del>
          ) : (
            <ins key={index} className="rounded-sm bg-ok-soft text-ok underline decoration-1 underline-offset-2">
              {piece.text}
            </ins>
          ),
        )}
      </pre>
      {(hidden || whole) && (
        <Button variant="ghost" className="mt-1" onClick={() => setWhole(!whole)}>
          {whole ? "Fold what is the same" : "Show all"}
        </Button>
      )}
    </div>
  );
}

type Shown = Piece | { hidden: number };

function folded(pieces: Piece[]): Shown[] {
  return pieces.flatMap((piece, index): Shown[] => {
    if (piece.kind !== "same" || piece.text.length < 4 * CONTEXT) return [piece];
    const first = index === 0;
    const last = index === pieces.length - 1;
    if (first && last) return [piece];
    const head = first ? "" : piece.text.slice(0, CONTEXT);
    const tail = last ? "" : piece.text.slice(-CONTEXT);
    const parts: Shown[] = [
      { kind: "same", text: head },
      { hidden: piece.text.length - head.length - tail.length },
      { kind: "same", text: tail },
    ];
    return parts.filter((part) => "hidden" in part || part.text !== "");
  });
}
