// OpenTelemetry for JavaScript by itself, with attributes of the GenAI conventions: OTLP in JSON, packed.
import { setTimeout } from "node:timers/promises";
import { SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const exporter = new OTLPTraceExporter({ url: "http://localhost:7878/v1/traces", compression: "gzip" });
const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
provider.register();
const tracer = trace.getTracer("support");

await tracer.startActiveSpan("support_request", { attributes: { "session.id": "sess-42", "user.id": "user-1001" } }, async (root) => {
  const attributes = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.usage.input_tokens": 42,
    "gen_ai.usage.output_tokens": 17,
    "gen_ai.usage.cache_read.input_tokens": 8,
    "gen_ai.input.messages": JSON.stringify([{ role: "user", parts: [{ type: "text", content: "returns?" }] }]),
    "gen_ai.output.messages": JSON.stringify([{ role: "assistant", parts: [{ type: "text", content: "30 days" }], finish_reason: "stop" }]),
  };
  tracer.startActiveSpan("chat gpt-4o", { attributes }, (span) => span.end());
  await setTimeout(5); // Times are in milliseconds here.
  tracer.startActiveSpan("execute_tool lookup_order", { attributes: { "gen_ai.operation.name": "execute_tool" } }, (span) => {
    span.recordException(new Error("no such order"));
    span.setStatus({ code: SpanStatusCode.ERROR, message: "no such order" });
    span.end();
  });
  root.end();
});

await provider.shutdown();
