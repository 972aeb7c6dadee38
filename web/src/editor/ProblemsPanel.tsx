import type { ProblemItem } from "@/api/types";
import { plural } from "@/ui/format";
import { ChevronDown, ChevronRight, CircleAlert, CircleCheck } from "lucide-react";
import { sentence } from "./fields/Row";
import { levelAt, locate } from "./graph";
import { fromPointer } from "./pointer";
import { useEditor } from "./store";

/** What the server says is wrong. A click goes to the field. */
export function ProblemsPanel({
  problems,
  open,
  onOpen,
  onGo,
}: {
  /** `null`: not known yet. */
  problems: readonly ProblemItem[] | null;
  open: boolean;
  onOpen: (open: boolean) => void;
  onGo: (problem: ProblemItem) => void;
}) {
  const document = useEditor((state) => state.document);
  const count = problems?.length ?? 0;
  const said = problems === null ? "Checking…" : count === 0 ? "No problems" : plural(count, "problem");
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
            <CircleAlert size={14} className="text-bad" aria-hidden />
          </>
        )}
        <span>{said}</span>
        {!open && problems?.[0] && <span className="min-w-0 flex-1 truncate text-muted">{sentence(problems[0].message)}</span>}
      </button>
      {open && count > 0 && (
        <ul className="max-h-40 overflow-y-auto pb-1">
          {problems?.map((problem) => (
            <li key={problem.pointer + problem.code + problem.message}>
              <button type="button" onClick={() => onGo(problem)} className="flex w-full items-baseline gap-3 px-3 py-1 text-left hover:bg-hover">
                <span className="w-32 shrink-0 truncate text-xs text-muted" dir="auto">
                  {where(problem)}
                </span>
                <span className="min-w-0 flex-1 break-words">
                  {sentence(problem.message)}
                  {problem.suggestion && <span className="text-muted"> {sentence(problem.suggestion)}</span>}
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
