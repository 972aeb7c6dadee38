import type { Step, TraceEvent } from "@/api/types";
import { Section } from "./Section";
import { Value } from "@/ui/value";

/** The step as the API gives it, and its events as the journal has them. */
export function RawTab({ step, events }: { step: Step; events: TraceEvent[] | undefined }) {
  return (
    <>
      <Section title="Step">
        <Value value={step} name={step.step_id} />
      </Section>
      <Section title={`Events (${events?.length ?? 0})`}>
        <Value value={events ?? []} name={`${step.step_id}-events`} />
      </Section>
    </>
  );
}
