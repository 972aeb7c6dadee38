import type { Run } from "@/api/types";

/** Quotes for a POSIX shell: everything between single quotes is literal, and a single quote closes, escapes and reopens. */
export function quote(text: string): string {
  return /^[\w./:=@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

const header = (name: string, value: string) => `-H ${quote(`${name}: ${value}`)}`;
const lines = (...parts: string[]) => parts.join(" \\\n  ");

/** The request that starts this run again. */
export function curlOfRun(run: Run, origin: string): string {
  if (!run.workflow_id || run.input_truncated) return `curl ${quote(`${origin}/api/runs/${run.id}`)}`;
  return lines(
    `curl -X POST ${quote(`${origin}/api/workflows/${encodeURIComponent(run.workflow_id)}/runs`)}`,
    header("content-type", "application/json"),
    `-d ${quote(JSON.stringify({ input_vars: run.input ?? {} }))}`,
  );
}

/** The parts of a model call as the trace records them. */
export interface RecordedCall {
  target?: { provider?: string; model?: string };
  messages?: { role: string; content: string }[];
  parameters?: Record<string, unknown>;
  schema?: unknown;
}

/** The request that a provider got, with its key left to the environment. `null` for a provider of another kind. */
export function curlOfModelCall(call: RecordedCall, target: { provider?: string; model?: string }): string | null {
  const { stop, ...parameters } = call.parameters ?? {};
  const model = target.model;
  if (target.provider === "anthropic") {
    const { max_tokens, ...rest } = parameters;
    delete rest.seed;
    const system = call.messages?.filter((message) => message.role === "system").map((message) => message.content).join("\n\n");
    const body = {
      model,
      max_tokens: max_tokens ?? 4096,
      ...(system && { system }),
      messages: call.messages?.filter((message) => message.role !== "system"),
      ...rest,
      ...(stop !== undefined && { stop_sequences: stop }),
    };
    return lines(
      'curl "${ANTHROPIC_BASE_URL:-https://api.anthropic.com}/v1/messages"',
      '-H "x-api-key: $ANTHROPIC_API_KEY"',
      header("anthropic-version", "2023-06-01"),
      header("content-type", "application/json"),
      `-d ${quote(JSON.stringify(body))}`,
    );
  }
  if (target.provider === "openai") {
    const schema = call.schema !== undefined && {
      response_format: { type: "json_schema", json_schema: { name: "answer", schema: call.schema } },
    };
    const body = { model, messages: call.messages, ...parameters, ...(stop !== undefined && { stop }), ...schema };
    return lines(
      'curl "${OPENAI_BASE_URL:-https://api.openai.com/v1}/chat/completions"',
      '-H "Authorization: Bearer $OPENAI_API_KEY"',
      header("content-type", "application/json"),
      `-d ${quote(JSON.stringify(body))}`,
    );
  }
  return null;
}

/** The request of an `http` tool. */
export function curlOfHttp(config: Record<string, unknown>): string | null {
  if (typeof config.url !== "string") return null;
  const parts = [`curl ${quote(config.url)}`];
  if (typeof config.method === "string" && config.method.toUpperCase() !== "GET") parts.push(`-X ${quote(config.method.toUpperCase())}`);
  if (typeof config.headers === "object" && config.headers !== null) {
    for (const [name, value] of Object.entries(config.headers)) {
      // A secret is a reference, and stays one.
      parts.push(header(name, typeof value === "string" ? value : JSON.stringify(value)));
    }
  }
  const body = config.body ?? config.json;
  if (body !== undefined) parts.push(`-d ${quote(typeof body === "string" ? body : JSON.stringify(body))}`);
  return lines(...parts);
}
