import createClient from "openapi-fetch";
import { request } from "./http";
import { parseJson, writeJson } from "./lossless";
import { ApiProblem } from "./problem";
import type { operations, paths } from "./schema";
import type {
  Decide,
  Draft,
  FailNext,
  Fork,
  KeyScope,
  NewScore,
  RunStatus,
  RunSummary,
  SpanReplay,
  TraceSummary,
  VersionDocument,
  Workflow,
} from "./types";

const client = createClient<paths>({ fetch: request, bodySerializer: (body) => writeJson(body) });

/** `request` throws whatever is no success, so there always is data. */
async function data<T>(answer: Promise<{ data?: T }>): Promise<T> {
  return (await answer).data as T;
}

/** Documents are read with their numbers as they were written. */
async function lossless<T>(answer: Promise<{ data?: string }>): Promise<T> {
  return parseJson(await data(answer)) as T;
}

export interface RunFilter {
  status?: RunStatus;
  workflow_id?: string;
  session_id?: string;
}

type ListTraces = NonNullable<operations["listTraces"]["parameters"]["query"]>;
export type TraceFilter = Omit<ListTraces, "sort" | "cursor" | "limit">;
export type SessionFilter = NonNullable<operations["listSessions"]["parameters"]["query"]>;

/** Every request that the pages make, one function each. Failures are an `ApiProblem`. */
export const api = {
  runs: async (query: RunFilter & { limit?: number; cursor?: string }, signal?: AbortSignal) => {
    const page = await data(client.GET("/api/runs", { params: { query }, signal }));
    return { ...page, runs: page.runs as RunSummary[] };
  },
  run: (id: string, signal?: AbortSignal) => data(client.GET("/api/runs/{id}", { params: { path: { id } }, signal })),
  steps: (id: string, cursor: string, signal?: AbortSignal, at_seq?: number) =>
    data(client.GET("/api/runs/{id}/steps", { params: { path: { id }, query: { cursor, at_seq } }, signal })),
  step: (id: string, step_id: string, signal?: AbortSignal) =>
    data(client.GET("/api/runs/{id}/steps/{step_id}", { params: { path: { id, step_id } }, signal })),
  runGraph: (id: string, signal?: AbortSignal) => data(client.GET("/api/runs/{id}/graph", { params: { path: { id } }, signal })),
  trace: (id: string, after_seq: number, limit: number, signal?: AbortSignal) =>
    data(client.GET("/api/runs/{id}/trace", { params: { path: { id }, query: { after_seq, limit } }, signal })),
  blob: (id: string, hash: string, signal?: AbortSignal): Promise<unknown> =>
    data(client.GET("/api/runs/{id}/blobs/{hash}", { params: { path: { id, hash } }, signal })),
  cancelRun: (id: string) => data(client.POST("/api/runs/{id}/cancel", { params: { path: { id } }, body: {} })),
  pauseRun: (id: string) => data(client.POST("/api/runs/{id}/pause", { params: { path: { id } }, body: {} })),
  resumeRun: (id: string) => data(client.POST("/api/runs/{id}/resume", { params: { path: { id } }, body: {} })),
  signalRun: (id: string, name: string, payload: unknown, key: string) =>
    data(client.POST("/api/runs/{id}/signals/{name}", { params: { path: { id, name }, header: { "Idempotency-Key": key } }, body: { payload } })),
  /** The run as it was after event `at_seq`. */
  stateAt: (id: string, at_seq: number, signal?: AbortSignal) =>
    data(client.GET("/api/runs/{id}/state", { params: { path: { id }, query: { at_seq } }, signal })),
  /** What a fork would keep and run again; nothing is written. */
  previewFork: (id: string, body: Fork, signal?: AbortSignal) => data(client.POST("/api/runs/{id}/fork/preview", { params: { path: { id } }, body, signal })),
  forkRun: (id: string, body: Fork) => data(client.POST("/api/runs/{id}/fork", { params: { path: { id } }, body })),
  compare: async (a: string, b: string, cursor?: string, signal?: AbortSignal) => {
    const page = await data(client.GET("/api/compare", { params: { query: { a, b, cursor } }, signal }));
    return { ...page, a: page.a as RunSummary, b: page.b as RunSummary };
  },
  approvals: (query: { status?: "open" | "decided" | "all"; run_id?: string; cursor?: string; limit?: number }, signal?: AbortSignal) =>
    data(client.GET("/api/approvals", { params: { query }, signal })),
  decide: (id: string, body: Decide) => data(client.POST("/api/approvals/{id}", { params: { path: { id } }, body })),
  /** `key` makes a repeated click start one run. */
  startRun: (id: string, input_vars: Record<string, unknown>, key: string) =>
    data(client.POST("/api/workflows/{id}/runs", { params: { path: { id }, header: { "Idempotency-Key": key } }, body: { input_vars } })),

  workflows: (cursor?: string, signal?: AbortSignal) => data(client.GET("/api/workflows", { params: { query: { cursor } }, signal })),
  workflow: (id: string, signal?: AbortSignal) => lossless<Workflow>(client.GET("/api/workflows/{id}", { params: { path: { id } }, signal, parseAs: "text" })),
  workflowVersion: (id: string, version: number, signal?: AbortSignal) =>
    lossless<VersionDocument>(client.GET("/api/workflows/{id}/versions/{version}", { params: { path: { id, version } }, signal, parseAs: "text" })),
  createWorkflow: (body: { name: string; description?: string; graph_json: unknown }) => data(client.POST("/api/workflows", { body })),
  /** Makes the next version of the document that was read under `etag`. */
  publish: (id: string, graph_json: unknown, etag: string) =>
    data(client.PUT("/api/workflows/{id}", { params: { path: { id }, header: { "If-Match": etag } }, body: { graph_json } })),
  renameWorkflow: (id: string, name: string, etag: string) =>
    data(client.PUT("/api/workflows/{id}", { params: { path: { id }, header: { "If-Match": etag } }, body: { name } })),
  validate: (graph_json: unknown, signal?: AbortSignal) => data(client.POST("/api/workflows/validate", { body: { graph_json }, signal })),
  versions: (id: string, signal?: AbortSignal) => data(client.GET("/api/workflows/{id}/versions", { params: { path: { id } }, signal })),
  /** `null` if it is gone by now. */
  draft: (id: string, signal?: AbortSignal) =>
    lossless<Draft>(client.GET("/api/workflows/{id}/draft", { params: { path: { id } }, signal, parseAs: "text" })).catch((error: unknown) => {
      if (error instanceof ApiProblem && error.status === 404) return null;
      throw error;
    }),
  putDraft: (id: string, graph_json: unknown, etag: string) =>
    data(client.PUT("/api/workflows/{id}/draft", { params: { path: { id }, header: { "If-Match": etag } }, body: { graph_json } })),
  deleteDraft: (id: string, etag: string) =>
    data(client.DELETE("/api/workflows/{id}/draft", { params: { path: { id }, header: { "If-Match": etag } } })),
  /** JSON Schema of the workflow language. */
  schema: (signal?: AbortSignal) => data(client.GET("/api/schema/workflow.json", { signal })),
  deleteWorkflow: (id: string) => data(client.DELETE("/api/workflows/{id}", { params: { path: { id } } })),
  restoreWorkflow: (id: string) => data(client.POST("/api/workflows/{id}/restore", { params: { path: { id } }, body: {} })),

  traces: async (query: ListTraces, signal?: AbortSignal) => {
    const page = await data(client.GET("/api/traces", { params: { query }, signal }));
    return { ...page, traces: page.traces as TraceSummary[] };
  },
  /** Without what only single spans are opened for. */
  traceSpans: (trace_id: string, signal?: AbortSignal) =>
    data(client.GET("/api/traces/{trace_id}", { params: { path: { trace_id }, query: { io: "none" } }, signal })),
  span: (trace_id: string, span_id: string, signal?: AbortSignal) =>
    data(client.GET("/api/traces/{trace_id}/spans/{span_id}", { params: { path: { trace_id, span_id } }, signal })),
  pinTrace: (trace_id: string, pinned: boolean) => {
    // The server wants the header of whatever changes something, also without a body.
    const options = { params: { path: { trace_id } }, headers: { "content-type": "application/json" } };
    return data<unknown>(pinned ? client.PUT("/api/traces/{trace_id}/pin", options) : client.DELETE("/api/traces/{trace_id}/pin", options));
  },
  /** What making the model call of a span again would send; nothing is written. */
  previewSpanReplay: (trace_id: string, span_id: string, body: SpanReplay, signal?: AbortSignal) =>
    data(client.POST("/api/traces/{trace_id}/spans/{span_id}/replay/preview", { params: { path: { trace_id, span_id } }, body, signal })),
  /** `key` makes a repeated click start one run. */
  replaySpan: (trace_id: string, span_id: string, body: SpanReplay, key: string) =>
    data(client.POST("/api/traces/{trace_id}/spans/{span_id}/replay", { params: { path: { trace_id, span_id }, header: { "Idempotency-Key": key } }, body })),
  compareSpan: async (trace_id: string, span_id: string, run: string, signal?: AbortSignal) => {
    const found = await data(client.GET("/api/traces/{trace_id}/spans/{span_id}/compare", { params: { path: { trace_id, span_id }, query: { run } }, signal }));
    return { ...found, run: found.run as RunSummary };
  },
  unpriced: (signal?: AbortSignal) => data(client.GET("/api/spend/unpriced", { signal })),
  traceSessions: (query: SessionFilter, signal?: AbortSignal) => data(client.GET("/api/sessions", { params: { query }, signal })),
  score: (body: NewScore) => data(client.POST("/api/scores", { body })),
  traceSession: async (id: string, cursor: string | undefined, signal?: AbortSignal) => {
    const page = await data(client.GET("/api/sessions/{id}", { params: { path: { id }, query: { cursor } }, signal }));
    return { ...page, traces_page: page.traces_page as TraceSummary[] };
  },

  version: (signal?: AbortSignal) => data(client.GET("/version", { signal })),
  health: (signal?: AbortSignal) => data(client.GET("/health", { signal })),
  catalog: (signal?: AbortSignal) => data(client.GET("/api/catalog", { signal })),
  bindings: (signal?: AbortSignal) => data(client.GET("/api/provider_bindings", { signal })),
  session: (signal?: AbortSignal) => data(client.GET("/api/session", { signal })),
  signIn: (token: string) => data(client.POST("/api/session", { body: { token } })),
  signOut: () => data(client.DELETE("/api/session")),
  /** One small call; what came of it is in the answer, whether it went well or not. */
  testProvider: (name: string, model: string | null) => data(client.POST("/api/providers/{name}/test", { params: { path: { name } }, body: { model } })),
  secrets: (signal?: AbortSignal) => data(client.GET("/api/secrets", { signal })),
  putSecret: (name: string, value: string) => data(client.PUT("/api/secrets/{name}", { params: { path: { name } }, body: { value } })),
  deleteSecret: (name: string) => data(client.DELETE("/api/secrets/{name}", { params: { path: { name } } })),
  keys: (signal?: AbortSignal) => data(client.GET("/api/keys", { signal })),
  /** The answer is the only one that shows the key. */
  createKey: (name: string, scope: KeyScope) => data(client.POST("/api/keys", { body: { name, scope } })),
  revokeKey: (id: string) => data(client.DELETE("/api/keys/{id}", { params: { path: { id } } })),
  /** With `days`, also what would go with that. */
  retention: (days: number | undefined, signal?: AbortSignal) => data(client.GET("/api/retention", { params: { query: { days } }, signal })),
  /** `null`: what the configuration file says. Where traces go, `confirm` has to be true. */
  putRetention: (days: number | null, confirm: boolean) => data(client.PUT("/api/retention", { body: { days, confirm } })),
  clearCache: () => data(client.DELETE("/api/cache")),
  /** The next calls of simulated models fail. */
  failNext: ({ provider = null, status = null, kind = null, times = null, retry_after_ms = null }: FailNext) =>
    data(client.POST("/api/simulate/fail-next", { body: { provider, status, kind, times, retry_after_ms } })),
};
