import { messageOf } from "@/api/problem";
import { spanQuery } from "@/api/traces";
import type { Score, Span } from "@/api/types";
import { Bubble } from "@/runs/step/Bubble";
import { PaneHead, PaneTabs } from "@/runs/step/Pane";
import { None, Pairs, Section } from "@/runs/step/Section";
import { Button } from "@/ui/button";
import { Chip } from "@/ui/chip";
import { CopyId } from "@/ui/copy";
import { ErrorBanner, SkeletonRows } from "@/ui/feedback";
import { count, duration, exactTime, firstLine, usd } from "@/ui/format";
import { Value } from "@/ui/value";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { RotateCw, TriangleAlert } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { spanStatus } from "./look";
import { messagesOf, type Message } from "./messages";
import { ScoreList } from "./ScoreList";

const SpanReplayDialog = lazy(() => import("@/replay/SpanReplayDialog").then((module) => ({ default: module.SpanReplayDialog })));

type Tab = "messages" | "input" | "output" | "error" | "cost" | "attributes" | "events" | "scores";
const words: Record<Tab, string> = {
  messages: "Messages",
  input: "Input",
  output: "Output",
  error: "Error",
  cost: "Tokens & cost",
  attributes: "Attributes",
  events: "Events",
  scores: "Scores",
};

interface Props {
  trace: string;
  /** Of the outline: without its texts. */
  outline: Span;
  /** Whether the span that it names as its parent is not in the trace. */
  orphan: boolean;
  scores: Score[];
  tab: string | undefined;
  onTab: (tab: string | undefined) => void;
  onClose: () => void;
}

/** Why did this span give this result? */
export function SpanPane({ trace, outline, orphan, scores, tab, onTab, onClose }: Props) {
  const [replaying, setReplaying] = useState(false);
  const full = useQuery(spanQuery(trace, outline.span_id));
  const span = full.data;
  const input = span ? messagesOf(span.input) : null;
  const output = span ? messagesOf(span.output) : null;
  // While the texts are read, what the kind says is taken for granted.
  const talks = span ? input !== null || output !== null : outline.kind === "llm";
  const tabs = (
    [
      talks ? "messages" : "input",
      talks ? null : "output",
      outline.status === "error" || outline.error ? "error" : null,
      "cost",
      "attributes",
      span && span.events.length === 0 ? null : "events",
      scores.length > 0 ? "scores" : null,
    ] as (Tab | null)[]
  ).filter((each): each is Tab => each !== null);
  const current = tabs.find((each) => each === tab) ?? tabs[0] ?? "attributes";
  const tokens = outline.tokens_input == null && outline.tokens_output == null ? null : (outline.tokens_input ?? 0) + (outline.tokens_output ?? 0);

  return (
    <>
      <PaneHead
        what="span"
        kind={outline.kind}
        name={outline.name || outline.span_id}
        status={spanStatus(outline)}
        before={
          outline.kind === "llm" && (
            <Button title="Make this call again, with another prompt, model or parameters" onClick={() => setReplaying(true)}>
              <RotateCw size={14} aria-hidden />
              Replay
            </Button>
          )
        }
        onClose={onClose}
      >
        {(outline.model ?? outline.model_requested) && (
          <span className="min-w-0 break-all" title={outline.model && outline.model_requested && outline.model !== outline.model_requested ? `asked for ${outline.model_requested}` : undefined}>
            {outline.provider} {outline.model ?? outline.model_requested}
          </span>
        )}
        <span className="num">{outline.open ? "" : duration(outline.duration_ms)}</span>
        {tokens !== null && <span className="num">{count(tokens)} tokens</span>}
        {outline.cost_nanousd != null && <span className="num">{usd(outline.cost_nanousd)}</span>}
        {outline.simulated && <Chip tone="warn">simulated</Chip>}
        {outline.counted === false && tokens !== null && <Chip title="It repeats the usage of another span, so its tokens are not in the totals">not counted</Chip>}
        {orphan && <Chip title={`Its parent, span ${outline.parent_span_id}, is not in this trace: it was not sent, or has not arrived yet`}>parent missing</Chip>}
        <CopyId id={outline.span_id} label="span id" />
      </PaneHead>
      {replaying && (
        <Suspense fallback={null}>
          <SpanReplayDialog trace={trace} span={outline.span_id} name={outline.name || "the call"} onClose={() => setReplaying(false)} />
        </Suspense>
      )}
      {outline.error && current !== "error" && (
        <div className="flex items-start gap-2 bg-bad-soft px-4 py-1.5 text-bad">
          <TriangleAlert size={14} className="mt-[3px] shrink-0" aria-hidden />
          <p className="line-clamp-4 min-w-0 flex-1 text-left break-words" title={outline.error} dir="auto">
            {firstLine(outline.error)}
          </p>
        </div>
      )}
      {full.error && <ErrorBanner message={messageOf(full.error)} onRetry={() => void full.refetch()} />}
      <PaneTabs label="Span" tabs={tabs} words={words} current={current} onTab={onTab}>
        {current === "scores" ? (
          <ScoreList scores={scores} />
        ) : current === "cost" ? (
          <Usage span={span ?? outline} />
        ) : span ? (
          <Body tab={current} span={span} input={input} output={output} />
        ) : (
          !full.error && <SkeletonRows rows={4} height={28} label="Reading the span" />
        )}
      </PaneTabs>
    </>
  );
}

function Body({ tab, span, input, output }: { tab: Tab; span: Span; input: Message[] | null; output: Message[] | null }) {
  if (tab === "messages") {
    return (
      <div className="flex flex-col gap-3" aria-label="Messages">
        <Half messages={input} value={span.input} role="user" name="input" none="No prompt was sent along." />
        <Half messages={output} value={span.output} role="assistant" name="answer" none="No answer was sent along." note={span.finish_reason ?? undefined} />
      </div>
    );
  }
  if (tab === "input") return span.input == null ? <None>No input was sent along.</None> : <Value value={span.input} name="input" />;
  if (tab === "output") return span.output == null ? <None>No output was sent along.</None> : <Value value={span.output} name="output" />;
  if (tab === "error") return <ErrorText span={span} />;
  if (tab === "events") return <Events span={span} />;
  return <Attributes span={span} />;
}

function Half({ messages, value, role, name, none, note }: { messages: Message[] | null; value: unknown; role: string; name: string; none: string; note?: string }) {
  if (!messages) {
    return value == null ? (
      <None>{none}</None>
    ) : (
      <Bubble role={role} note={note}>
        <Value value={value} name={name} />
      </Bubble>
    );
  }
  return messages.map((message, index) => (
    <Bubble key={index} role={message.role} note={index === messages.length - 1 ? note : undefined}>
      {message.reasoning !== undefined && (
        <details className="mb-1">
          <summary className="text-xs text-muted">Reasoning</summary>
          <Value value={message.reasoning} name={`${name} reasoning`} />
        </details>
      )}
      {message.content != null && message.content !== "" && <Value value={message.content} name={`${name} ${index + 1}`} />}
      {message.calls.map((call, at) => (
        <div key={at} className="mt-1 border-l-2 border-line-strong pl-3">
          <p className="text-muted">
            calls <span className="font-medium text-text">{call.name}</span>
          </p>
          <Value value={call.arguments} name={`arguments of ${call.name}`} />
        </div>
      ))}
    </Bubble>
  ));
}

/** `—` for what was not said, never 0. */
function Usage({ span }: { span: Span }) {
  return (
    <>
      <Section title="Usage">
        <Pairs
          pairs={[
            ["Input tokens", count(span.tokens_input)],
            ["of them cached", count(span.tokens_cached)],
            ["of them written to the cache", count(span.tokens_cache_write)],
            ["Output tokens", count(span.tokens_output)],
            ["of them reasoning", count(span.tokens_reasoning)],
            ["Cost", span.cost_nanousd == null ? "unknown: no price is known, or no usage was sent" : usd(span.cost_nanousd)],
          ]}
        />
      </Section>
      <Section title="Call">
        <Pairs
          pairs={[
            ["Provider", span.provider ?? "—"],
            ["Model asked for", span.model_requested ?? "—"],
            ["Model that answered", span.model ?? "—"],
            ["Started", exactTime(span.started_at)],
            ["Duration", span.open ? "under way" : duration(span.duration_ms)],
            ["First token after", duration(span.first_token_ms)],
            ["Ended by", span.finish_reason ?? "—"],
          ]}
        />
      </Section>
    </>
  );
}

function ErrorText({ span }: { span: Span }) {
  const thrown = span.events.filter((event) => event.name === "exception");
  return (
    <>
      <Section title="What happened">
        <p className="font-medium break-words whitespace-pre-wrap text-bad" dir="auto">
          {span.error ?? "The span ended as an error and did not say why."}
        </p>
      </Section>
      {thrown.map((event, index) => (
        <Section key={index} title="Exception">
          <Value value={event.attributes["exception.stacktrace"] ?? event.attributes} name="exception" />
        </Section>
      ))}
    </>
  );
}

function Events({ span }: { span: Span }) {
  if (span.events.length === 0) return <None>Nothing happened inside of it that was written down.</None>;
  return (
    <ol className="grid gap-3">
      {span.events.map((event, index) => (
        <li key={index} className="border-l-2 border-line-strong pl-3">
          <p className="flex flex-wrap gap-x-3">
            <span className="font-medium break-words">{event.name}</span>
            <time dateTime={event.at} className="num text-muted">
              {exactTime(event.at)}
            </time>
          </p>
          {Object.keys(event.attributes).length > 0 && <Value value={event.attributes} name={event.name} />}
        </li>
      ))}
    </ol>
  );
}

function Attributes({ span }: { span: Span }) {
  const parts: [string, unknown][] = [
    ["Attributes, as they were received", span.attributes],
    ["Metadata", span.metadata],
    ["Parameters", span.parameters],
    ["Tools", span.tools],
    ["Resource", span.resource],
  ];
  return (
    <>
      {parts.map(([title, value]) =>
        value == null || (typeof value === "object" && Object.keys(value).length === 0) ? null : (
          <Section key={title} title={title}>
            <Value value={value} name={title} />
          </Section>
        ),
      )}
      <Section title="Where it is from">
        <Pairs
          pairs={[
            ["Service", span.service ?? "—"],
            ["Environment", span.environment ?? "—"],
            ["Instrumentation", span.scope ?? "—"],
            ["Prompt", span.prompt_name ? `${span.prompt_name} ${span.prompt_version ?? ""}` : "—"],
            ["Tags", span.tags.join(", ") || "—"],
            ["Parent", span.parent_span_id ?? "—"],
          ]}
        />
      </Section>
      {span.links.length > 0 && (
        <Section title="Links">
          <ul>
            {span.links.map((link, index) => (
              <li key={index}>
                <Link to="/traces/$id" params={{ id: link.trace_id }} search={{ span: link.span_id }} className="font-mono text-xs break-all text-accent underline">
                  {link.trace_id} {link.span_id}
                </Link>
              </li>
            ))}
          </ul>
        </Section>
      )}
    </>
  );
}
