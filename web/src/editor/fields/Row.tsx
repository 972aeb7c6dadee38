import { cx } from "@/ui/cx";
import { Words } from "@/ui/words";
import { X } from "lucide-react";
import { useId, type ReactNode } from "react";
import { useProblems } from "../context";
import { within } from "../pointer";

export interface RowIds {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": boolean | undefined;
}

/** A property in the panel: its name, the control, what is wrong with it, and, while it has the focus, what it is for. */
export function Row({
  label,
  pointer,
  hint,
  required,
  onClear,
  own,
  inline,
  hideLabel,
  children,
}: {
  label: string;
  /** Problems at this place, and below it, are said here. */
  pointer: string;
  hint?: string;
  required?: boolean;
  /** Takes the property out of the document. */
  onClear?: () => void;
  /** Only problems of exactly this place: what is below says its own. */
  own?: boolean;
  /** Name and control on one line, for what is short. */
  inline?: boolean;
  /** What is above says it already; only for screen readers. */
  hideLabel?: boolean;
  children: (ids: RowIds) => ReactNode;
}) {
  const id = useId();
  const problems = useProblems().filter((problem) => (own ? problem.pointer === pointer : within(problem.pointer, pointer)));
  const wrong = problems.length > 0;
  return (
    <div data-pointer={pointer} className={cx("group/row", inline ? "grid grid-cols-[1fr_152px] items-center gap-x-2 gap-y-1" : "flex flex-col gap-1")}>
      <div className={hideLabel ? "sr-only" : "flex min-h-5 min-w-0 items-center gap-1"}>
        <label htmlFor={id} className="text-xs font-medium text-muted">
          {label}
          {required && <span className="text-muted"> · needed</span>}
        </label>
        {onClear && (
          <button
            type="button"
            aria-label={`Clear ${label}`}
            // By keyboard a field is cleared by emptying it; one more stop at each would double the way.
            tabIndex={-1}
            title={`Clear ${label}`}
            onClick={onClear}
            className="ml-auto rounded p-0.5 text-muted opacity-0 group-focus-within/row:opacity-100 group-hover/row:opacity-100 hover:bg-hover hover:text-text focus:opacity-100"
          >
            <X size={12} aria-hidden />
          </button>
        )}
      </div>
      {children({ id, "aria-describedby": wrong || hint ? `${id}-note` : undefined, "aria-invalid": wrong || undefined })}
      {(wrong || hint) && (
        <div id={`${id}-note`} className={cx("col-span-full text-xs", !wrong && "hidden text-muted group-focus-within/row:block")}>
          {wrong
            ? problems.map((problem) => (
                <p key={problem.pointer + problem.code + problem.message} className="text-bad">
                  <Words text={sentence(problem.message)} />
                  {problem.suggestion && (
                    <span className="text-text">
                      {" "}
                      <Words text={sentence(problem.suggestion)} />
                    </span>
                  )}
                </p>
              ))
            : hint && <Words text={hint} />}
        </div>
      )}
    </div>
  );
}

export function sentence(message: string): string {
  const text = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}
