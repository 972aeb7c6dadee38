import { messageOf } from "@/api/problem";
import { runGraphQuery } from "@/api/queries";
import type { Run, Step } from "@/api/types";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { None, Pairs, Section } from "./Section";
import type { Resolved, StepCall } from "./useCall";
import { Value } from "@/ui/value";

/** The step as the workflow had it when it ran, and what the templates became. */
export function ConfigTab({ run, step, call }: { run: Run; step: Step; call: Resolved<StepCall> }) {
  const document = useQuery(runGraphQuery(run.id));
  const node = useMemo(() => document.data && findNode(document.data, step.node_id), [document.data, step.node_id]);
  const { template, variables, parameters } = call.data ?? {};
  const set = Object.entries(parameters ?? {});
  return (
    <>
      {step.node_type === "llm" && (
        <Section title="Asked">
          <Pairs
            pairs={[
              ["Provider", step.provider ?? "—"],
              ["Model", step.model ?? "—"],
              ["Answered by", step.answered_by ?? "—"],
              ...set.map(([name, value]): [string, string] => [name, typeof value === "string" ? value : JSON.stringify(value)]),
            ]}
          />
        </Section>
      )}
      {template != null && Object.keys(template).length > 0 && (
        <Section title="Template">
          <Value value={template} name={`${step.step_id}-template`} />
        </Section>
      )}
      {variables != null && Object.keys(variables).length > 0 && (
        <Section title="Variables">
          <Value value={variables} name={`${step.step_id}-variables`} />
        </Section>
      )}
      <Section title={run.workflow_version != null ? `The node in version ${run.workflow_version}` : run.edited_version != null ? `The node in the edited copy of version ${run.edited_version}` : "The node in the document that was run"}>
        {node ? (
          <Value value={node} name={step.node_id} />
        ) : (
          <None>{document.isPending ? "Reading the document…" : document.error ? messageOf(document.error) : "The document has no node of this id."}</None>
        )}
      </Section>
    </>
  );
}

/** The node of this id, also in the body of another one. */
function findNode(value: unknown, id: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  if ("id" in value && value.id === id && "type" in value) return value;
  for (const inner of Object.values(value)) {
    const found = findNode(inner, id);
    if (found !== undefined) return found;
  }
  return undefined;
}
