import { prettyJson } from "@/ui/json";

/** A value as the text that is compared. */
export function textOf(value: unknown): string {
  return value == null ? "" : typeof value === "string" ? value : prettyJson(value);
}

interface Message {
  role?: unknown;
  content?: unknown;
}

/** What a model was told, message by message, and after it what it was asked for (temperature and so on). Of a tool, its configuration. */
export function promptText(prompt: unknown): { text: string; mono: boolean } {
  const messages = typeof prompt === "object" && prompt !== null ? (prompt as { messages?: unknown }).messages : undefined;
  if (!Array.isArray(messages)) return { text: textOf(prompt), mono: typeof prompt !== "string" };
  const said = (messages as Message[]).map(({ role, content }) => `${String(role ?? "message").toUpperCase()}\n${textOf(content)}`);
  const { parameters } = prompt as { parameters?: unknown };
  const set = typeof parameters === "object" && parameters !== null && Object.keys(parameters).length > 0 ? [`PARAMETERS\n${prettyJson(parameters)}`] : [];
  return { text: [...said, ...set].join("\n\n"), mono: false };
}
