import { byWhom, Decision } from "@/approvals/decision";
import { runGraphQuery } from "@/api/queries";
import type { Run, Step } from "@/api/types";
import { buttonClass } from "@/ui/button";
import { Due } from "@/ui/due";
import { count, plural } from "@/ui/format";
import { Ago } from "@/ui/time";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { SignalButton } from "../SignalDialog";
import { asks, signalOf, undoes } from "../waits";

/** What is to be known of a step before its values are read: what it asks, how far it is, where its result came from. */
export function StepNotes({ run, step, onSelect }: { run: Run; step: Step; onSelect: (step: string) => void }) {
  const graph = useQuery({ ...runGraphQuery(run.id), enabled: step.node_type === "wait" }).data;
  const signal = signalOf(graph, step);
  const { question, progress, reused_from: origin } = step;
  return (
    <>
      {question && (
        <Note tone={asks(step) ? "warn" : undefined}>
          <div className="min-w-0 flex-1 basis-48">
            <p className="break-words whitespace-pre-wrap">{question.message}</p>
            <p className="text-muted">
              {question.decision ? (
                <>
                  <Decision decision={question.decision} /> {byWhom(question.decided_by)} {question.decided_at && <Ago at={question.decided_at} />}
                  {question.reason && <span className="break-words">: “{question.reason}”</span>}
                </>
              ) : (
                <>
                  Asked <Ago at={question.asked_at} />
                  {question.deadline && (
                    <>
                      , due <Due at={question.deadline} />
                    </>
                  )}
                </>
              )}
            </p>
          </div>
          <Link to="/approvals" search={{ id: `${run.id}:${step.step_id}`, ...(question.decision ? { view: "decided" } : {}) }} className={buttonClass(asks(step) ? "primary" : "plain")}>
            {asks(step) ? "Answer" : "Open the question"}
          </Link>
        </Note>
      )}
      {signal && (
        <Note tone="warn">
          <p className="min-w-0 flex-1">
            Waits for the signal <span className="font-mono text-xs">{signal}</span>.
          </p>
          <SignalButton run={run.id} signal={signal} />
        </Note>
      )}
      {progress && <ProgressNote step={step} progress={progress} />}
      {step.failed_inside && (
        <Note tone="bad">
          <p className="min-w-0 flex-1">What failed it is inside.</p>
          <button type="button" className={buttonClass("danger")} onClick={() => step.failed_inside && onSelect(step.failed_inside)}>
            Open {step.failed_inside}
          </button>
        </Note>
      )}
      {origin && (
        <Note>
          <p className="min-w-0 flex-1">
            Reused: another run did the work, so it cost nothing here.{" "}
            <Link to="/runs/$id" params={{ id: origin.run_id }} search={{ step: origin.step_id }} className="text-accent hover:underline">
              Open it there
            </Link>
          </p>
          <Link to="/compare" search={{ a: origin.run_id, b: run.id }} className={buttonClass()}>
            Compare the runs
          </Link>
        </Note>
      )}
      {undoes(step) && (
        <Note>
          <p className="min-w-0 flex-1">
            This takes back what{" "}
            <button type="button" className="text-accent hover:underline" onClick={() => onSelect(step.step_id.slice(0, -"/undo".length))}>
              {step.step_id.slice(0, -"/undo".length)}
            </button>{" "}
            did.
          </p>
        </Note>
      )}
      {step.handled && (
        <Note>
          <p>The step failed, and the workflow says how to go on: the run did not fail with it.</p>
        </Note>
      )}
      {step.repairs > 0 && (
        <Note>
          <p>The model was asked {plural(step.repairs, "time")} to mend an answer that did not fit.</p>
        </Note>
      )}
    </>
  );
}

const parts: Record<string, string> = { map: "item", loop: "iteration", agent: "turn" };

function ProgressNote({ step, progress: { done, of, failed } }: { step: Step; progress: NonNullable<Step["progress"]> }) {
  const part = parts[step.node_type] ?? "part";
  // Of a loop and of an agent it is only known how far they may go.
  const most = step.node_type !== "map";
  return (
    <Note>
      {of != null && of > 0 && (
        <span className="h-1.5 w-24 shrink-0 overflow-hidden rounded-full bg-line" aria-hidden>
          <span className={`block h-full ${failed > 0 ? "bg-warn-fill" : "bg-ok-fill"}`} style={{ width: `${Math.min(100, (done / of) * 100)}%` }} />
        </span>
      )}
      <p className="num">
        {plural(done, part)}
        {of != null && (most ? ` of at most ${count(of)}` : ` of ${count(of)}`)}
        {failed > 0 && <span className="text-bad">, {count(failed)} failed</span>}
      </p>
    </Note>
  );
}

function Note({ tone, children }: { tone?: "warn" | "bad"; children: ReactNode }) {
  return <div className={`flex flex-wrap items-center gap-x-3 gap-y-1 border-t border-line px-4 py-1.5 ${tone === "warn" ? "bg-warn-soft" : tone === "bad" ? "bg-bad-soft" : "bg-raised"}`}>{children}</div>;
}
