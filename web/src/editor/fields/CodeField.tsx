import { cx } from "@/ui/cx";
import { Popup, popupKey } from "@/ui/popup";
import { useId, useMemo, useRef, useState } from "react";
import { useProblems } from "../context";
import { within } from "../pointer";
import { completed, completionAt, matching, pieces, type Completion, type Readable } from "../suggest";
import type { RowIds } from "./Row";

const look = "w-full px-2 py-1 font-mono text-sm leading-5 break-words whitespace-pre-wrap [overflow-wrap:anywhere] border border-transparent";
const marks = { text: "", binding: "rounded-xs bg-accent/15", wrong: "rounded-xs bg-bad/15 underline decoration-bad decoration-wavy underline-offset-2" };

/**
 * A text with bindings, or an expression. Behind the field stands the same text with its bindings marked; names that can be
 * read here are offered as one types.
 */
export function CodeField({
  ids,
  pointer,
  value,
  onChange,
  readable,
  expression = false,
  placeholder,
  oneLine = false,
  tall = false,
}: {
  ids: RowIds;
  pointer: string;
  value: string;
  onChange: (text: string) => void;
  readable: () => Readable;
  expression?: boolean;
  placeholder?: string;
  /** Enter does nothing here. */
  oneLine?: boolean;
  /** A text of several lines is expected. */
  tall?: boolean;
}) {
  const list = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  const caretMark = useRef<HTMLSpanElement>(null);
  const [open, setOpen] = useState<(Completion & { caret: number; asked: boolean }) | null>(null);
  const [active, setActive] = useState(0);
  const problems = useProblems();
  const here = useMemo(() => problems.filter((problem) => within(problem.pointer, pointer)), [problems, pointer]);
  const known = useMemo(() => (expression ? null : readable()), [expression, readable]);
  const parts = useMemo(() => (known ? pieces(value, known.nodes, here) : null), [known, value, here]);
  const found = useMemo(() => (open ? matching(readable().suggestions, open.typed) : []), [open, readable]);
  const shown = open !== null && found.length > 0 && (open.asked || !expression || open.typed !== "");
  const current = Math.min(active, found.length - 1);

  const offer = (text: string, caret: number, asked: boolean) => {
    const at = completionAt(text, caret, expression);
    setOpen(at && { ...at, caret, asked });
    setActive(0);
  };
  const pick = (index: number) => {
    const choice = found[index];
    if (!open || !choice) return;
    const next = completed(value, open.caret, open, choice.text, expression);
    onChange(next.text);
    setOpen(null);
    requestAnimationFrame(() => field.current?.setSelectionRange(next.caret, next.caret));
  };

  return (
    <div
      className={cx(
        "relative max-h-80 overflow-y-auto rounded border bg-panel focus-within:outline-2 focus-within:-outline-offset-1 focus-within:outline-accent",
        ids["aria-invalid"] ? "border-bad" : "border-line-strong",
      )}
    >
      <div aria-hidden dir="auto" className={cx(look, "pointer-events-none min-h-7 text-transparent", tall && "min-h-16")}>
        {parts
          ? parts.map((part, index) => (
              <span key={index} className={marks[part.kind]}>
                {part.text}
              </span>
            ))
          : value}
        {"\u200b"}
      </div>
      {open && (
        <div aria-hidden dir="auto" className={cx(look, "pointer-events-none invisible absolute inset-0")}>
          {value.slice(0, open.start)}
          <span ref={caretMark}>{"\u200b"}</span>
        </div>
      )}
      <textarea
        {...ids}
        ref={field}
        dir="auto"
        rows={1}
        value={value}
        placeholder={placeholder}
        spellCheck={!expression}
        autoCapitalize="off"
        aria-autocomplete="list"
        aria-controls={shown ? list : undefined}
        aria-activedescendant={shown ? `${list}-${current}` : undefined}
        onChange={(event) => {
          const text = oneLine ? event.target.value.replaceAll("\n", " ") : event.target.value;
          onChange(text);
          offer(text, event.target.selectionStart, false);
        }}
        onBlur={() => setOpen(null)}
        onKeyDown={(event) => {
          if (shown && popupKey(event, found.length, current, setActive, pick, () => setOpen(null))) return;
          if (event.key === " " && event.ctrlKey) {
            event.preventDefault();
            offer(value, event.currentTarget.selectionStart, true);
          } else if (event.key === "Enter" && oneLine) event.preventDefault();
          else if (/^(Arrow|Home|End)/.test(event.key)) setOpen(null);
        }}
        className={cx(look, "absolute inset-0 h-full resize-none overflow-hidden bg-transparent text-text outline-none placeholder:text-muted")}
      />
      {shown && (
        <Popup
          id={list}
          label="Names that can be read here"
          anchor={() => caretMark.current?.getBoundingClientRect() ?? { left: 0, top: 0, bottom: 0 }}
          items={found.map(({ text, note }) => ({ key: text, label: <span className="font-mono">{text}</span>, note }))}
          active={current}
          onActive={setActive}
          onPick={pick}
        />
      )}
    </div>
  );
}
