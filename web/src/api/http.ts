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
