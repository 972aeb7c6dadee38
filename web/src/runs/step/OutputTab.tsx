import { answerKey } from "@/api/live";
import type { Run, Step } from "@/api/types";
import { Button } from "@/ui/button";
import { useState } from "react";
import type { Attempt } from "../attempts";
import { LiveText } from "./LiveText";
import { None } from "./Section";
import { Value } from "./Value";

/** What the step gave to the steps after it. */
export function OutputTab({ run, step, attempts }: { run: Run; step: Step; attempts: Attempt[] }) {
  const [raw, setRaw] = useState(false);
  const last = attempts.at(-1);
  if (step.node_type === "llm" && last?.outcome === "running") {
    return <LiveText answer={answerKey(run.id, step.step_id, last.request, last.attempt)} />;
  }
  if (step.status === "running" || step.status === "waiting") return <None>The step is still at work.</None>;
  if (step.output === undefined || step.output === null) {
    return (
      <None>
        {step.status === "failed" ? "The step failed, so it has no output." : step.status === "skipped" ? "The step was skipped: no branch led to it." : "The step has no output."}
      </None>
    );
  }
  return (
    <>
      <div className="mb-2 flex gap-1">
        <Button variant={raw ? "ghost" : "plain"} aria-pressed={!raw} onClick={() => setRaw(false)}>
          Rendered
        </Button>
        <Button variant={raw ? "plain" : "ghost"} aria-pressed={raw} onClick={() => setRaw(true)}>
          Raw JSON
        </Button>
      </div>
      <Value key={String(raw)} value={step.output} name={`${step.step_id}-output`} size={step.output_bytes} truncated={step.output_truncated} raw={raw} />
    </>
  );
}
