import { api } from "@/api/client";
import { messageOf } from "@/api/problem";
import { keys } from "@/api/queries";
import type { Run, Step } from "@/api/types";
import { Button } from "@/ui/button";
import { Chip } from "@/ui/chip";
import { CopyButton, CopyId } from "@/ui/copy";
import { ErrorBanner } from "@/ui/feedback";
import { count, duration, usd } from "@/ui/format";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { RotateCcw } from "lucide-react";
import { Link } from "@tanstack/react-router";
import { lazy, Suspense, useMemo, useState } from "react";
import { attemptsOf, ms } from "./attempts";
import { inDocument } from "./inDocument";
import { ConfigTab } from "./step/ConfigTab";
import { CostTab } from "./step/CostTab";
import { ErrorBox, ErrorTab } from "./step/ErrorTab";
import { InputTab } from "./step/InputTab";
import { MessagesTab } from "./step/MessagesTab";
import { OutputTab } from "./step/OutputTab";
import { PaneHead, PaneTabs } from "./step/Pane";
import { RawTab } from "./step/RawTab";
import { StepNotes } from "./step/StepNotes";
import { stepCurl } from "./step/stepCurl";
import { TimingTab } from "./step/TimingTab";
import { useCall } from "./step/useCall";
import { StepChips } from "./StepChips";
import { asks } from "./waits";
import type { RunData } from "./useRun";

const ReplayDialog = lazy(() => import("@/replay/ReplayDialog").then((module) => ({ default: module.ReplayDialog })));

/** Values up to this size are read as soon as the step is opened. */
const EAGER_BYTES = 8_000_000;

type Tab = "messages" | "input" | "output" | "error" | "cost" | "timing" | "config" | "raw";
const words: Record<Tab, string> = {
  messages: "Messages",
  input: "Input",
  output: "Output",
  error: "Error",
  cost: "Tokens & cost",
  timing: "Timing",
  config: "Config",
  raw: "Raw",
};

interface Props {
  data: RunData;
  run: Run;
  step: Step;
  tab: string | undefined;
  onTab: (tab: string | undefined) => void;
  onClose: () => void;
  onSelect: (step: string) => void;
}

/** Why did this step give this result? */
export function StepPane({ data, run, step: shown, tab, onTab, onClose, onSelect }: Props) {
  const tooLarge = (shown.input_bytes ?? 0) + (shown.output_bytes ?? 0) > EAGER_BYTES;
  // The view of the run holds the beginnings of values; the whole ones are read once the step stands still at a state.
  const full = useQuery({
    queryKey: [...keys.step(run.id, shown.step_id), shown.status, shown.attempts, shown.output_bytes],
    queryFn: ({ signal }) => api.step(run.id, shown.step_id, signal),
    enabled: (shown.input_truncated || shown.output_truncated) && !tooLarge,
    placeholderData: keepPreviousData,
    staleTime: Infinity,
  });
  const whole = full.data;
  const step: Step = whole
    ? {
        ...shown,
        input: whole.input,
        input_truncated: whole.input_truncated,
        // While the next state is read, the values of the one before stand in for it.
        ...(full.isPlaceholderData ? {} : { output: whole.output, output_truncated: whole.output_truncated }),
      }
    : shown;

  const [replaying, setReplaying] = useState(false);
  const events = data.eventsOf.get(step.step_id);
  const runEnd = run.finished_at ? ms(run.finished_at) : undefined;
  const attempts = useMemo(() => attemptsOf(events, runEnd), [events, runEnd]);
  const call = useCall(run.id, events);
  const isLlm = step.node_type === "llm";
  const tabs = (
    [isLlm ? "messages" : "input", "output", step.error ? "error" : null, isLlm ? "cost" : null, "timing", "config", "raw"] as (Tab | null)[]
  ).filter((each): each is Tab => each !== null);
  const current = tabs.find((each) => each === tab) ?? tabs[0] ?? "raw";
  const curl = stepCurl(step, call.data, attempts);
  const tokens = step.tokens_input == null ? null : step.tokens_input + (step.tokens_output ?? 0);

  return (
    <>
      <PaneHead what="step" kind={step.node_type} name={step.name || step.step_id} status={asks(step) ? "asking" : step.status} links={curl && <CopyButton text={() => curl}>Copy as curl</CopyButton>} onClose={onClose}>
        {step.model && (
          <span title={step.answered_by && step.answered_by !== step.model ? `answered by ${step.answered_by}` : undefined}>
            {step.provider} {step.model}
          </span>
        )}
        <span className="num">{duration(step.latency_ms)}</span>
        {tokens !== null && <span className="num">{count(tokens)} tokens</span>}
        {isLlm && step.cost_nanousd != null && <span className="num">{usd(step.cost_nanousd)}</span>}
        {step.attempts > 1 && <span className="num">{step.attempts} attempts</span>}
        <StepChips step={step} events={events} full />
        {step.simulated && <Chip tone="warn">simulated</Chip>}
        {step.step_id !== step.name && <CopyId id={step.step_id} label="step id" />}
        {run.workflow_id && (
          <Link to="/workflows/$id/edit" params={{ id: run.workflow_id }} search={inDocument(step.step_id, run.steps)} className="text-accent hover:underline">
            Open in editor
          </Link>
        )}
        {step.status !== "skipped" && (
          <Button title="Run again from this step, and keep what came before it" className="ml-auto" onClick={() => setReplaying(true)}>
            <RotateCcw size={14} aria-hidden />
            Replay from here
          </Button>
        )}
      </PaneHead>
      <StepNotes run={run} step={step} onSelect={onSelect} />
      {step.error && current !== "error" && <ErrorBox step={step} onOpen={() => onTab("error")} />}
      {full.error && <ErrorBanner message={messageOf(full.error)} onRetry={() => void full.refetch()} />}
      <PaneTabs label="Step" tabs={tabs} words={words} current={current} onTab={onTab}>
        {current === "messages" && <MessagesTab run={run} step={step} attempts={attempts} events={events} call={call} />}
        {current === "input" && <InputTab run={run} step={step} call={call} />}
        {current === "output" && <OutputTab run={run} step={step} attempts={attempts} />}
        {current === "error" && <ErrorTab step={step} attempts={attempts} />}
        {current === "cost" && <CostTab step={step} events={events} />}
        {current === "timing" && <TimingTab run={run} step={step} attempts={attempts} events={events} />}
        {current === "config" && <ConfigTab run={run} step={step} call={call} />}
        {current === "raw" && <RawTab step={step} events={events} />}
      </PaneTabs>
      {replaying && (
        <Suspense fallback={null}>
          <ReplayDialog run={run} step={step} onClose={() => setReplaying(false)} />
        </Suspense>
      )}
    </>
  );
}
