/** A message of a model call, as the server writes it down whatever the SDK. */
export interface Message {
  role: string;
  content: unknown;
  reasoning?: unknown;
  calls: { name: string; arguments: unknown }[];
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/** The messages in a value; `null` if it is not a list of messages. */
export function messagesOf(value: unknown): Message[] | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  if (!value.every((each): each is Record<string, unknown> => isObject(each) && typeof each.role === "string")) return null;
  return value.map((each) => {
    const calls = Array.isArray(each.tool_calls) ? each.tool_calls.filter(isObject) : [];
    return {
      role: String(each.role),
      content: textParts(each.content),
      reasoning: each.reasoning ?? undefined,
      calls: calls.map((call) => ({ name: typeof call.name === "string" ? call.name : "tool", arguments: call.arguments ?? null })),
    };
  });
}

/** Parts that are all text read as one text; whatever else there is stays as it is. */
function textParts(content: unknown): unknown {
  if (!Array.isArray(content) || content.length === 0) return content;
  const texts = content.map((part) => (isObject(part) && part.type === "text" && typeof part.text === "string" ? part.text : null));
  return texts.every((text) => text !== null) ? texts.join("\n") : content;
}
