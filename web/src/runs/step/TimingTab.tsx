import type { Run, Step, TraceEvent } from "@/api/types";
import { cx } from "@/ui/cx";
import { duration, exactTime, UNKNOWN } from "@/ui/format";
import { ms, type Attempt } from "../attempts";
import { Pairs, Section } from "./Section";

const outcomes: Record<Attempt["outcome"], string> = {
  running: "running",
  succeeded: "succeeded",
  failed: "failed",
  lost: "lost in a crash",
  cached: "answered by the cache",
  canceled: "canceled",
};

/** Where the time of the step went: waiting to begin, to the first token, the rest of the answer, backoff. */
export function TimingTab({ run, step, attempts, events }: { run: Run; step: Step; attempts: Attempt[]; events: TraceEvent[] | undefined }) {
  const backoff = events?.filter((event) => event.kind === "retry").reduce((sum, event) => sum + Number(event.payload.after_ms ?? 0), 0) ?? 0;
  const last = attempts.findLast((attempt) => attempt.outcome === "succeeded");
  const started = step.started_at ? ms(step.started_at) : null;
  return (
    <>
      <Section title="The step">
        <Pairs
          pairs={[
            ["Began", started === null ? UNKNOWN : `${duration(started - ms(run.started_at))} into the run`],
            ["Queue", started !== null && attempts[0] ? duration(Math.max(0, attempts[0].start - started)) : UNKNOWN],
            ["Backoff", backoff > 0 ? duration(backoff) : "none"],
            ...(last?.firstToken !== undefined
              ? ([
                  ["To first token", duration(last.firstToken - last.start)],
                  ["Stream", duration((last.end ?? last.firstToken) - last.firstToken)],
                ] as [string, string][])
              : []),
            ["In all", step.latency_ms == null ? "still at work" : duration(step.latency_ms)],
            ["Started at", step.started_at ? exactTime(step.started_at) : UNKNOWN],
            ["Finished at", step.finished_at ? exactTime(step.finished_at) : UNKNOWN],
          ]}
        />
      </Section>
      {attempts.length > 0 && (
        <Section title="Attempts">
          <table className="w-full">
            <thead className="text-xs text-muted">
              <tr>
                {["Attempt", "Target", "Outcome"].map((name) => (
                  <th key={name} scope="col" className="py-0.5 pr-3 text-left font-normal">
                    {name}
                  </th>
                ))}
                <th scope="col" className="pr-3 text-right font-normal">
                  First token
                </th>
                <th scope="col" className="text-right font-normal">
                  Time
                </th>
              </tr>
            </thead>
            <tbody>
              {attempts.map((attempt, index) => (
                <tr key={index} className="border-t border-line/60">
                  <td className="num py-0.5">
                    {index + 1}/{attempts.length}
                  </td>
                  <td className="pr-3">{attempt.model ?? attempt.tool}</td>
                  <td className={cx("pr-3", attempt.outcome === "failed" && "text-bad")}>
                    {outcomes[attempt.outcome]}
                    {attempt.error?.status != null && ` (${attempt.error.status})`}
                  </td>
                  <td className="num pr-3 text-right">{attempt.firstToken === undefined ? UNKNOWN : duration(attempt.firstToken - attempt.start)}</td>
                  <td className="num text-right">{attempt.end === undefined ? UNKNOWN : duration(attempt.end - attempt.start)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Section>
      )}
    </>
  );
}
