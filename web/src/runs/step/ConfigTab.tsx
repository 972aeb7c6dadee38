import { graphOf } from "@/api/document";
import { workflowVersionQuery } from "@/api/queries";
import type { Run, Step } from "@/api/types";
import { useQuery } from "@tanstack/react-query";
import { None, Pairs, Section } from "./Section";
import type { Resolved, StepCall } from "./useCall";
import { Value } from "./Value";

/** The step as the workflow had it when it ran, and what the templates became. */
export function ConfigTab({ run, step, call }: { run: Run; step: Step; call: Resolved<StepCall> }) {
  const saved = run.workflow_id != null && run.workflow_version != null;
  const version = useQuery({ ...workflowVersionQuery(run.workflow_id ?? "", run.workflow_version ?? 0), enabled: saved });
  const node = version.data && graphOf(version.data.graph_json).nodes.find((each) => each.id === step.node_id);
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
      <Section title={saved ? `The node in version ${run.workflow_version}` : "The node"}>
        {node ? (
          <Value value={node} name={step.node_id} />
        ) : (
          <None>{saved ? (version.isPending ? "Reading the version…" : "This version cannot be read any more.") : "The document was run without being saved."}</None>
        )}
      </Section>
    </>
  );
}
