import type { Step } from "@/api/types";
import { plural } from "@/ui/format";

const object = (value: unknown): Record<string, unknown> | undefined => (typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined);

/** What a step inside of an agent did, in a word: the tools that the model asked for, or the tool that was called. */
export function agentNote(step: Pick<Step, "step_id" | "node_type" | "input" | "output">): { text: string; title: string } | undefined {
  if (!step.step_id.includes("[")) return undefined;
  if (step.node_type === "tool") {
    const call = object(object(step.input)?.call);
    return typeof call?.name === "string" ? { text: call.name, title: JSON.stringify(call.arguments ?? {}).slice(0, 500) } : undefined;
  }
  if (step.node_type !== "llm") return undefined;
  const output = object(step.output);
  if (!output || !Array.isArray(output.tool_calls)) return undefined;
  const text = typeof output.text === "string" ? output.text : "";
  const names = output.tool_calls.flatMap((call: unknown) => object(call)?.name ?? []).map(String);
  if (names.length === 0) return { text: "answers", title: text };
  return { text: names.length > 2 ? `calls ${plural(names.length, "tool")}` : `calls ${names.join(", ")}`, title: [text, names.join(", ")].filter(Boolean).join("\n") };
}
