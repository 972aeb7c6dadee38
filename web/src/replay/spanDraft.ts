import type { SpanReplay } from "@/api/types";
import { parseJson } from "@/ui/json";

export interface Said {
  role: "user" | "assistant";
  content: string;
}

/** What is in the form. */
export interface SpanDraft {
  provider: string;
  model: string;
  system: string;
  messages: Said[];
  /** As JSON. */
  parameters: string;
}

/** The request that says what is in the form, or what is wrong with it. */
export function replayOf(draft: SpanDraft): { body: SpanReplay; error?: undefined } | { error: string } {
  const read = parseJson(draft.parameters.trim() === "" ? "{}" : draft.parameters);
  if (read.error !== undefined) return { error: `Parameters: ${read.error}` };
  const { value } = read;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { error: "Parameters: this has to be an object, { … }." };
  // An empty message is none: providers refuse it.
  const messages = draft.messages.filter(({ content }) => content.trim() !== "");
  return { body: { provider: draft.provider, model: draft.model, system: draft.system, messages, parameters: value as Record<string, unknown> } };
}
