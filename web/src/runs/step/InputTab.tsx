import type { Run, Step } from "@/api/types";
import { None, Section } from "./Section";
import type { Resolved, StepCall } from "./useCall";
import { Value } from "@/ui/value";

/** What a tool or a router was given. */
export function InputTab({ step, call }: { run: Run; step: Step; call: Resolved<StepCall> }) {
  const empty = step.input == null || (typeof step.input === "object" && Object.keys(step.input).length === 0);
  return (
    <>
      <Section title="Inputs">
        {empty ? <None>This step has no inputs.</None> : <Value value={step.input} name={`${step.step_id}-input`} size={step.input_bytes} truncated={step.input_truncated} />}
      </Section>
      {call.data && (
        <Section title="Request">
          <Value value={call.data} name={`${step.step_id}-request`} />
        </Section>
      )}
      {call.error && <None>{call.error}</None>}
    </>
  );
}
