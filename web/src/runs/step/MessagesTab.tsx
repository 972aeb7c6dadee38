import { answerKey } from "@/api/live";
import { eventValue } from "@/api/trace";
import type { EventValue, Run, Step, TraceEvent } from "@/api/types";
import { cx } from "@/ui/cx";
import { duration } from "@/ui/format";
import type { ReactNode } from "react";
import { failures, type Attempt } from "../attempts";
import { Bubble } from "./Bubble";
import { LiveText } from "./LiveText";
import { None } from "./Section";
import { useEventValue, type Resolved, type StepCall } from "./useCall";
import { Value } from "@/ui/value";

interface Props {
  run: Run;
  step: Step;
  attempts: Attempt[];
  events: TraceEvent[] | undefined;
  call: Resolved<StepCall>;
}

/** What the model was told and what it said. */
export function MessagesTab({ run, step, attempts, events, call }: Props) {
  const messages = call.data?.messages;
  const last = attempts.at(-1);
  const response = events?.findLast((event) => event.kind === "llm.response" || event.kind === "cache.hit");
  return (
    <div className="flex flex-col gap-3" aria-label="Messages">
      {!messages && (
        <None>
          {call.error ?? (call.loading ? "Reading the messages…" : step.cached ? "The cache answered before a request was made." : "No request has gone out yet.")}
        </None>
      )}
      {messages?.map((message, index) => (
        <Bubble key={index} role={message.role}>
          <Value value={message.content} name={`${step.step_id}-${message.role}`} />
        </Bubble>
      ))}
      {failures(attempts).map(({ model, first, last, text }) => (
        <Note key={`${model} ${first}`} tone="bad">
          {model}, {first === last ? `attempt ${first}` : `attempts ${first} to ${last}`}: {text}
        </Note>
      ))}
      {step.status === "waiting" && step.next_attempt_at && <Note>Waiting for the next attempt.</Note>}
      {last?.outcome === "running" && (
        <Bubble role="assistant" note={`${last.model ?? ""} is answering`}>
          <LiveText answer={answerKey(run.id, step.step_id, last.request, last.attempt)} />
        </Bubble>
      )}
      {response && last?.outcome !== "running" && <Answer run={run} step={step} event={response} />}
    </div>
  );
}

function Answer({ run, step, event }: { run: Run; step: Step; event: TraceEvent }) {
  const value: EventValue | undefined = eventValue(event.payload, "output");
  const output = useEventValue<unknown>(run.id, value);
  const finish = event.payload.finish_reason;
  const note = [
    step.answered_by ?? step.model,
    event.kind === "cache.hit" ? "from the cache" : step.first_token_ms != null && `first token after ${duration(step.first_token_ms)}`,
    typeof finish === "string" && finish !== "stop" && finish !== "end_turn" && `ended by ${finish}`,
  ];
  return (
    <Bubble role="assistant" note={note.filter(Boolean).join(", ")}>
      <Value value={output.data ?? output.preview ?? ""} name={`${step.step_id}-answer`} markdown />
      {output.error && <None>{output.error}</None>}
    </Bubble>
  );
}

function Note({ tone, children }: { tone?: "bad"; children: ReactNode }) {
  return <p className={cx("border-l-2 pl-3 break-words", tone === "bad" ? "border-bad-fill text-bad" : "border-line-strong text-muted")}>{children}</p>;
}
