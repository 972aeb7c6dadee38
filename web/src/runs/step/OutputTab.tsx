import { answerKey } from "@/api/live";
import type { Run, Step } from "@/api/types";
import { Button } from "@/ui/button";
import { useState } from "react";
import type { Attempt } from "../attempts";
import { LiveText } from "./LiveText";
import { None } from "./Section";
import { Value } from "@/ui/value";

type Look = "rendered" | "text" | "raw";

/** What the step gave to the steps after it. */
export function OutputTab({ run, step, attempts }: { run: Run; step: Step; attempts: Attempt[] }) {
  const [look, setLook] = useState<Look>("rendered");
  const last = attempts.at(-1);
  // What a tool says is data more often than prose.
  const prose = step.node_type !== "tool" && typeof step.output === "string";
  const looks = [{ value: "rendered", label: "Rendered" }, ...(prose ? [{ value: "text", label: "As text" }] : []), { value: "raw", label: "Raw JSON" }] as { value: Look; label: string }[];
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
        {looks.map(({ value, label }) => (
          <Button key={value} variant={look === value ? "plain" : "ghost"} aria-pressed={look === value} onClick={() => setLook(value)}>
            {label}
          </Button>
        ))}
      </div>
      <Value
        key={look}
        value={step.output}
        name={`${step.step_id}-output`}
        size={step.output_bytes}
        truncated={step.output_truncated}
        raw={look === "raw"}
        markdown={look === "rendered" && prose}
      />
    </>
  );
}
