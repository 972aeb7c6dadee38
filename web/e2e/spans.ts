import { randomBytes } from "node:crypto";
import { expect, type Server } from "./server";

export const HOSTILE = `<img src=x onerror="window.hacked=1"><script>window.hacked=2</script> [click](javascript:window.hacked=3) مرحبا 日本語`;

const id = (bytes: number) => randomBytes(bytes).toString("hex");
const nano = (ms: number) => `${Math.round(ms * 1000)}000`;
const text = (key: string, value: string) => ({ key, value: { stringValue: value } });
const int = (key: string, value: number) => ({ key, value: { intValue: String(value) } });

interface Wanted {
  name?: string;
  prompt?: string;
  session?: string;
  user?: string;
  model?: string;
  metadata?: [key: string, value: string];
  tag?: string;
  /** Calls under the root. */
  calls?: number;
  failing?: boolean;
}

/** Waits until a trace is found by a word: the index of words follows the spans a moment later. */
export const findable = (server: Server, word: string) =>
  expect.poll(async () => (await server.get<{ traces: unknown[] }>(`/api/traces?q=${word}`)).traces.length, { message: `a trace is found by ${word}` }).toBe(1);

/** Sends a trace as an SDK does, as OTLP in JSON, and waits until it can be found. Its root is a workflow with model calls under it. */
export async function sendTrace(
  server: Server,
  { name = "Support", prompt = "Where is my order?", session, user, metadata, tag, model = "gpt-4o-mini", calls = 1, failing = true }: Wanted = {},
): Promise<{ trace: string; root: string; first: string }> {
  const [trace, root] = [id(16), id(8)];
  const now = Date.now() - 60_000;
  const ids = Array.from({ length: calls }, () => id(8));
  const who = [...(session ? [text("session.id", session)] : []), ...(user ? [text("user.id", user)] : []), ...(metadata ? [text(metadata[0], metadata[1])] : []), ...(tag ? [{ key: "tag.tags", value: { arrayValue: { values: [{ stringValue: tag }] } } }] : [])];
  const spans = [
    { traceId: trace, spanId: root, name, kind: 1, startTimeUnixNano: nano(now), endTimeUnixNano: nano(now + 2_000), attributes: [text("traceloop.span.kind", "workflow"), ...who], status: failing ? { code: 2, message: "the answer never came" } : {} },
    ...ids.map((spanId, index) => ({
      traceId: trace,
      spanId,
      parentSpanId: root,
      name: `chat ${model}`,
      kind: 3,
      startTimeUnixNano: nano(now + 100 + index * 0.15),
      endTimeUnixNano: nano(now + 150 + index * 0.15),
      attributes: [
        text("gen_ai.operation.name", "chat"),
        text("gen_ai.system", "openai"),
        text("gen_ai.request.model", model),
        int("gen_ai.usage.input_tokens", 12),
        int("gen_ai.usage.output_tokens", 7),
        text("gen_ai.input.messages", JSON.stringify([{ role: "system", parts: [{ type: "text", content: "Be kind." }] }, { role: "user", parts: [{ type: "text", content: prompt }] }])),
        text("gen_ai.output.messages", JSON.stringify([{ role: "assistant", parts: [{ type: "text", content: "It is on its way." }], finish_reason: "stop" }])),
        ...who,
      ],
      events: failing && index === 0 ? [{ name: "exception", timeUnixNano: nano(now + 150), attributes: [text("exception.type", "RateLimitError"), text("exception.message", "HTTP 429: slow down")] }] : [],
      status: failing && index === 0 ? { code: 2, message: "HTTP 429: slow down" } : {},
    })),
  ];
  const resource = { attributes: [text("service.name", "shop"), text("deployment.environment.name", "test")] };
  await server.post("/v1/traces", { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: "test" }, spans }] }] });
  await expect
    .poll(async () => (await server.get<{ spans?: unknown[] }>(`/api/traces/${trace}?io=none`)).spans?.length, { message: `the spans of trace ${trace} can be read` })
    .toBe(calls + 1);
  return { trace, root, first: ids[0] ?? root };
}
