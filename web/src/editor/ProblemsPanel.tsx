import type { ProblemItem } from "@/api/types";
import { plural } from "@/ui/format";
import { Words } from "@/ui/words";
import { ChevronDown, ChevronRight, CircleAlert, CircleCheck, TriangleAlert } from "lucide-react";
import { sentence } from "./fields/Row";
import { levelAt, locate } from "./graph";
import { fromPointer } from "./pointer";
import { useEditor } from "./store";

/** What the server says is wrong, and then what it doubts. A click goes to the field. */
export function ProblemsPanel({
  problems,
  warnings,
  open,
  onOpen,
  onGo,
}: {
  /** `null`: not known yet. */
  problems: readonly ProblemItem[] | null;
  /** They stand in nobody's way. */
  warnings: readonly ProblemItem[];
  open: boolean;
  onOpen: (open: boolean) => void;
  onGo: (problem: ProblemItem) => void;
}) {
  const document = useEditor((state) => state.document);
  const wrong = problems?.length ?? 0;
  const count = wrong + warnings.length;
  const doubted = warnings.length > 0 ? `, ${plural(warnings.length, "warning")}` : "";
  const said = problems === null ? "Checking…" : (wrong === 0 ? "No problems" : plural(wrong, "problem")) + doubted;
  const listed = [...(problems ?? []).map((item) => ({ item, severe: true })), ...warnings.map((item) => ({ item, severe: false }))];
  const first = listed[0]?.item;
  const where = ({ pointer }: ProblemItem) => {
    const { path, key, edge } = locate(document, fromPointer(pointer));
    const level = levelAt(document, path);
    if (key !== undefined) return [...path, level.byKey.get(key)?.name ?? key].join(" / ");
    const at = edge === undefined ? undefined : level.edges.find((each) => each.index === edge);
    return at ? `${at.from} → ${at.to}` : path.length > 0 ? path.join(" / ") : "Workflow";
  };
  return (
    <section aria-label="Problems" className="flex shrink-0 flex-col border-t border-line bg-panel">
      <span role="status" className="sr-only">
        {said}
      </span>
      <button
        type="button"
        aria-expanded={open && count > 0}
        disabled={count === 0}
        onClick={() => onOpen(!open)}
        className="flex h-8 shrink-0 items-center gap-2 px-3 text-left disabled:cursor-default"
      >
        {count === 0 ? (
          <CircleCheck size={14} className={problems ? "text-ok" : "text-muted"} aria-hidden />
        ) : (
          <>
            {open ? <ChevronDown size={14} aria-hidden /> : <ChevronRight size={14} aria-hidden />}
            {wrong > 0 ? <CircleAlert size={14} className="text-bad" aria-hidden /> : <TriangleAlert size={14} className="text-warn" aria-hidden />}
          </>
        )}
        <span>{said}</span>
        {!open && first && <span className="min-w-0 flex-1 truncate text-muted">
            <Words text={sentence(first.message)} />
          </span>}
      </button>
      {open && count > 0 && (
        <ul className="max-h-40 overflow-y-auto pb-1">
          {listed.map(({ item: problem, severe }) => (
            <li key={problem.pointer + problem.code + problem.message}>
              <button type="button" onClick={() => onGo(problem)} className="flex w-full items-baseline gap-3 px-3 py-1 text-left hover:bg-hover">
                <span className="w-32 shrink-0 truncate text-xs text-muted" dir="auto">
                  {where(problem)}
                </span>
                <span className="min-w-0 flex-1 break-words">
                  {!severe && <span className="text-warn">Warning: </span>}
                  <Words text={sentence(problem.message)} />
                  {problem.suggestion && (
                    <span className="text-muted">
                      {" "}
                      <Words text={sentence(problem.suggestion)} />
                    </span>
                  )}
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
