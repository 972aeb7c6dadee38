import type { Step, TraceEvent } from "@/api/types";
import { Chip } from "@/ui/chip";
import { count, plural, usd } from "@/ui/format";
import { memo } from "react";
import { agentNote } from "./agentStep";
import { chipsOf } from "./attempts";
import { asks, undoes } from "./waits";

/** Events of a tool's step when nothing out of the ordinary happens: scheduled, asked, answered, ended. */
const PLAIN = 4;

/** Whether there may be a chip. */
export function isRemarkable(step: Step, events: TraceEvent[] | undefined): boolean {
  return step.node_type !== "tool" || step.reused_from != null || undoes(step) || agentNote(step) !== undefined || (events?.length ?? 0) > PLAIN;
}

/** What was out of the ordinary with a step. */
export const StepChips = memo(function StepChips({ step, events, full }: { step: Step; events: TraceEvent[] | undefined; full?: boolean }) {
  const { retries, fallbacks, lost } = chipsOf(events);
  const fallback = fallbacks.at(-1);
  const note = agentNote(step);
  // Of a map that is done the rows under it say as much.
  const progress = step.node_type === "map" && step.progress?.done === step.progress?.of ? null : step.progress;
  return (
    <>
      {retries > 0 && (
        <Chip tone="warn" title="Attempts that failed and were made again">
          {plural(retries, "retry", "retries")}
        </Chip>
      )}
      {fallback && (
        <Chip tone="warn" title={fallbacks.map(({ from, to }) => `${from} failed, ${to} took over`).join("; ")}>
          fallback<span className={full ? undefined : "hidden @min-[700px]:inline"}> {fallback.to}</span>
        </Chip>
      )}
      {lost > 0 && (
        <Chip tone="warn" title="The server died while the step was in flight; it was taken up again">
          resumed
        </Chip>
      )}
      {undoes(step) && <Chip title="Takes back what another step did">undo</Chip>}
      {step.reused_from && <Chip title="Another run did the work; here it cost nothing">reused</Chip>}
      {asks(step) && (
        <Chip tone="warn" title={step.question?.message}>
          asks
        </Chip>
      )}
      {step.handled && <Chip title="It failed, and the workflow says how to go on">handled</Chip>}
      {step.repairs > 0 && (
        <Chip tone="warn" title="The model was asked to mend an answer that did not fit">
          {plural(step.repairs, "repair")}
        </Chip>
      )}
      {note && <Chip title={note.title}>{note.text}</Chip>}
      {progress && (
        <Chip title={step.node_type === "map" ? "Items that are done" : "What is done of what is allowed at most"}>
          {count(progress.done)}
          {progress.of != null && `/${count(progress.of)}`}
        </Chip>
      )}
      {step.cached && (
        <Chip tone="cache" title={step.saved_nanousd == null ? "The cache answered" : `The cache answered: ${usd(step.saved_nanousd)} saved`}>
          cached
        </Chip>
      )}
      {step.branch !== undefined && step.branch !== null && <Chip title="The branch that was taken">→ {String(step.branch)}</Chip>}
    </>
  );
});
