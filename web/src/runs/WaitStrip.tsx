import { runGraphQuery } from "@/api/queries";
import type { Run, Step } from "@/api/types";
import { buttonClass } from "@/ui/button";
import { Due } from "@/ui/due";
import { firstLine, plural } from "@/ui/format";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Radio, UserCheck } from "lucide-react";
import { useMemo } from "react";
import { SignalButton } from "./SignalDialog";
import { asks, signalOf } from "./waits";

/** What the run waits for that somebody can give: an answer, a signal. */
export function WaitStrip({ run, steps, onSelect }: { run: Run; steps: Step[]; onSelect: (step: string) => void }) {
  const questions = useMemo(() => steps.filter(asks), [steps]);
  const waits = useMemo(() => steps.some((step) => step.node_type === "wait"), [steps]);
  const graph = useQuery({ ...runGraphQuery(run.id), enabled: waits }).data;
  const signals = useMemo(() => steps.flatMap((step) => signalOf(graph, step) ?? []).filter((name, index, all) => all.indexOf(name) === index), [steps, graph]);
  const [first] = questions;
  const line = "flex flex-wrap items-center gap-x-2 gap-y-1 border-t border-line bg-warn-soft px-4 py-1.5";
  return (
    <>
      {first?.question && (
        <div role="status" className={line}>
          <UserCheck size={14} className="shrink-0 text-warn" aria-hidden />
          <p className="min-w-0 flex-1 basis-40 truncate" title={first.question.message}>
            <button type="button" className="font-semibold text-warn hover:underline" onClick={() => onSelect(first.step_id)}>
              {first.step_id}
            </button>
            <span className="text-warn"> asks: </span>
            {firstLine(first.question.message)}
            {first.question.deadline && (
              <span className="text-muted">
                {" "}
                (due <Due at={first.question.deadline} />)
              </span>
            )}
          </p>
          {questions.length > 1 && <span className="text-muted">and {plural(questions.length - 1, "more question")}</span>}
          <Link to="/approvals" search={{ id: `${run.id}:${first.step_id}` }} className={buttonClass("primary")}>
            Answer
          </Link>
        </div>
      )}
      {signals.map((signal) => (
        <div key={signal} role="status" className={line}>
          <Radio size={14} className="shrink-0 text-warn" aria-hidden />
          <p className="min-w-0 flex-1 truncate">
            <span className="text-warn">The run waits for the signal </span>
            <span className="font-mono text-xs">{signal}</span>
          </p>
          <SignalButton run={run.id} signal={signal} />
        </div>
      ))}
    </>
  );
}

