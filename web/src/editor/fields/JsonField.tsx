import { parseJson, writeJson } from "@/api/lossless";
import { messageOf } from "@/api/problem";
import { TextArea } from "@/ui/field";
import { useEffect, useRef, useState } from "react";
import { same } from "../pointer";
import type { RowIds } from "./Row";

/** A value of any form, as JSON. Text that is none stays here until it is, and the document keeps the last value. */
export function JsonField({ ids, value, onChange, rows = 4 }: { ids: RowIds; value: unknown; onChange: (value: unknown) => void; rows?: number }) {
  const [text, setText] = useState(() => shown(value));
  const [wrong, setWrong] = useState<string | null>(null);
  const mine = useRef<unknown>(value);
  useEffect(() => {
    // Changed from elsewhere: undo, the JSON pane.
    if (same(value, mine.current)) return;
    mine.current = value;
    setText(shown(value));
    setWrong(null);
  }, [value]);
  const lines = text.split("\n").length;
  return (
    <>
      <TextArea
        {...ids}
        aria-invalid={wrong ? true : ids["aria-invalid"]}
        rows={Math.min(16, Math.max(rows, lines))}
        spellCheck={false}
        dir="auto"
        value={text}
        onChange={(event) => {
          const next = event.target.value;
          setText(next);
          if (next.trim() === "") {
            mine.current = undefined;
            setWrong(null);
            onChange(undefined);
            return;
          }
          try {
            const parsed = parseJson(next);
            mine.current = parsed;
            setWrong(null);
            onChange(parsed);
          } catch (error) {
            setWrong(messageOf(error));
          }
        }}
      />
      {wrong && (
        <p role="status" className="text-xs text-bad">
          This is not JSON yet, and the workflow keeps the last value: {wrong}.
        </p>
      )}
    </>
  );
}

const shown = (value: unknown) => (value === undefined ? "" : writeJson(value, 2));
