import { missed, reached } from "./connection";
import { ApiProblem } from "./problem";
import { setLocked } from "./session";

/** `fetch` that keeps the connection state, and whose every failure is an {@link ApiProblem}. */
export async function request(input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> {
  const asked = new Request(input, init);
  const headers = new Headers(asked.headers);
  headers.set("flowtrace-client", "web");
  let response: Response;
  try {
    response = await fetch(new Request(asked, { headers }));
  } catch (error) {
    if (asked.signal.aborted) throw error;
    missed();
    throw ApiProblem.unreachable();
  }
  reached();
  if (response.status === 401 && !asked.url.endsWith("/api/session")) setLocked(true);
  if (!response.ok) {
    const body: unknown = await response.json().catch(() => null);
    throw ApiProblem.from(response.status, body);
  }
  return response;
}

type Query = Record<string, string | number | undefined | null>;

export interface Options {
  query?: Query;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** One JSON request. `path` is already encoded. */
export async function call<T>(method: "GET" | "POST" | "PUT" | "DELETE", path: string, options: Options = {}): Promise<T> {
  const url = new URL(path, location.origin);
  for (const [name, value] of Object.entries(options.query ?? {})) {
    if (value !== undefined && value !== null && value !== "") url.searchParams.set(name, String(value));
  }
  const headers: Record<string, string> = { ...options.headers };
  let body: string | undefined;
  if (method === "POST" || method === "PUT") {
    headers["content-type"] = "application/json";
    body = JSON.stringify(options.body ?? {});
  }
  const response = await request(url, { method, headers, body, signal: options.signal });
  return (response.status === 204 ? undefined : await response.json()) as T;
}
