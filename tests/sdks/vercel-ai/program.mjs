// Vercel's AI SDK with its own telemetry, sent by OpenTelemetry's exporter for JavaScript.
import { createOpenAI } from "@ai-sdk/openai";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { embed, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const exporter = new OTLPTraceExporter({ url: "http://localhost:7878/v1/traces" });
const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
provider.register();

const openai = createOpenAI({});
const telemetry = (functionId) => ({
  isEnabled: true,
  functionId,
  metadata: { sessionId: "sess-42", userId: "user-1001", tier: "gold", tags: ["returns"] },
});
const system = "You answer customers.";
const prompt = "Can I return order 4711? Bitte, 返品できますか?";

await generateText({
  model: openai.chat("gpt-4o"),
  system,
  prompt,
  tools: {
    lookup_order: tool({
      description: "What became of an order",
      inputSchema: z.object({ order: z.string() }),
      // Times are in milliseconds here: what comes after it has to begin later.
      execute: ({ order }) => new Promise((done) => setTimeout(() => done(`order ${order}: shipped`), 5)),
    }),
  },
  stopWhen: stepCountIs(3),
  experimental_telemetry: telemetry("support_request"),
});

const stream = streamText({ model: openai.chat("gpt-4o-mini"), prompt, experimental_telemetry: telemetry("streamed_request") });
for await (const _ of stream.textStream);

await embed({ model: openai.embedding("text-embedding-3-small"), value: "returns", experimental_telemetry: telemetry("embed_request") });

await generateText({ model: openai.chat("error-400"), prompt, maxRetries: 0, experimental_telemetry: telemetry("failing_request") }).catch(() => {});

await provider.shutdown();
