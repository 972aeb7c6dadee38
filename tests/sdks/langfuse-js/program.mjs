// Langfuse for JavaScript: observations over OTLP.
import { setTimeout } from "node:timers/promises";
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { propagateAttributes, startActiveObservation, startObservation } from "@langfuse/tracing";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const provider = new NodeTracerProvider({ spanProcessors: [new LangfuseSpanProcessor()] });
provider.register();

await propagateAttributes({ sessionId: "sess-42", userId: "user-1001", tags: ["returns"], metadata: { tier: "gold" } }, () =>
  startActiveObservation("support_request", async (root) => {
    root.update({ input: { question: "returns?" }, output: { answer: "30 days" } });
    const call = startObservation(
      "answer",
      { model: "gpt-4o-2024-08-06", input: [{ role: "user", content: "returns?" }], modelParameters: { temperature: 0.2 } },
      { asType: "generation" },
    );
    call.update({
      output: { role: "assistant", content: "30 days" },
      usageDetails: { input: 34, input_cached_tokens: 8, output: 12, output_reasoning_tokens: 5, total: 59 },
    });
    call.end();
    await setTimeout(5); // Times are in milliseconds here.
    const tool = startObservation("lookup_order", { input: { order: "4711" } }, { asType: "tool" });
    tool.update({ level: "ERROR", statusMessage: "no such order" });
    tool.end();
  }),
);

await provider.shutdown();
