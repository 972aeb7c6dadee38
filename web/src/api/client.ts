import { call } from "./http";
import type { Run, RunStatus, RunSummary, Step, TraceEvent, Workflow, WorkflowSummary } from "./types";

const run = (id: string) => `/api/runs/${encodeURIComponent(id)}`;
const workflow = (id: string) => `/api/workflows/${encodeURIComponent(id)}`;

export interface RunFilter {
  status?: RunStatus;
  workflow_id?: string;
  session_id?: string;
}

export interface Version {
  name: string;
  version: string;
  git_sha: string;
  simulated: boolean;
}

export interface Session {
  token_required: boolean;
  authenticated: boolean;
}

export interface Binding {
  id: string;
  workflow_id?: string | null;
  provider: string;
  model: string;
  temperature?: number | null;
}

export interface FailNext {
  provider?: string;
  status?: number;
  kind?: "hang" | "cut" | "malformed" | "empty" | "refuse";
  times?: number;
  retry_after_ms?: number;
}

export interface Catalog {
  node_types: string[];
  tools: { name: string; description: string; config_schema: unknown; remote: boolean }[];
  providers: { name: string; configured: boolean; simulated: boolean }[];
  models: { provider: string; model: string; price: ModelPrice }[];
  prices_source: string;
  prices_date: string;
}

/** Pico-dollars per token. */
export interface ModelPrice {
  input_picousd: number;
  output_picousd: number;
  cache_read_picousd?: number | null;
  cache_write_picousd?: number | null;
}

/** Every request that the pages make, one function each. */
export const api = {
  runs: (filter: RunFilter & { limit?: number; cursor?: string }, signal?: AbortSignal) =>
    call<{ runs: RunSummary[]; next_cursor?: string | null }>("GET", "/api/runs", { query: { ...filter }, signal }),
  run: (id: string, signal?: AbortSignal) => call<Run>("GET", run(id), { signal }),
  steps: (id: string, cursor: string, signal?: AbortSignal) =>
    call<{ steps: Step[]; next_cursor?: string | null }>("GET", `${run(id)}/steps`, { query: { cursor }, signal }),
  step: (id: string, step: string, signal?: AbortSignal) => call<Step>("GET", `${run(id)}/steps/${encodeURIComponent(step)}`, { signal }),
  trace: (id: string, after_seq: number, limit: number, signal?: AbortSignal) =>
    call<{ events: TraceEvent[]; next_after_seq?: number | null }>("GET", `${run(id)}/trace`, { query: { after_seq, limit }, signal }),
  blob: (id: string, hash: string, signal?: AbortSignal) => call<unknown>("GET", `${run(id)}/blobs/${encodeURIComponent(hash)}`, { signal }),
  cancelRun: (id: string) => call<void>("POST", `${run(id)}/cancel`),

  workflows: (cursor?: string, signal?: AbortSignal) =>
    call<{ workflows: WorkflowSummary[]; next_cursor?: string | null }>("GET", "/api/workflows", { query: { cursor }, signal }),
  workflow: (id: string, signal?: AbortSignal) => call<Workflow>("GET", workflow(id), { signal }),
  workflowVersion: (id: string, version: number, signal?: AbortSignal) =>
    call<{ version: number; graph_json: unknown }>("GET", `${workflow(id)}/versions/${version}`, { signal }),
  createWorkflow: (body: { name: string; description?: string; graph_json: unknown }) =>
    call<{ id: string; version: number }>("POST", "/api/workflows", { body }),
  deleteWorkflow: (id: string) => call<void>("DELETE", workflow(id)),
  restoreWorkflow: (id: string) => call<Workflow>("POST", `${workflow(id)}/restore`),
  /** `key` makes a repeated click start one run. */
  startRun: (id: string, input_vars: Record<string, unknown>, key: string) =>
    call<{ runId: string }>("POST", `${workflow(id)}/runs`, { body: { input_vars }, headers: { "idempotency-key": key } }),

  version: (signal?: AbortSignal) => call<Version>("GET", "/version", { signal }),
  health: (signal?: AbortSignal) => call<{ status: string }>("GET", "/health", { signal }),
  session: (signal?: AbortSignal) => call<Session>("GET", "/api/session", { signal }),
  signIn: (token: string) => call<Session>("POST", "/api/session", { body: { token } }),
  signOut: () => call<void>("DELETE", "/api/session"),
  bindings: (signal?: AbortSignal) => call<{ provider_bindings: Binding[] }>("GET", "/api/provider_bindings", { signal }),
  catalog: (signal?: AbortSignal) => call<Catalog>("GET", "/api/catalog", { signal }),
  /** The next `times` calls of simulated models fail. */
  failNext: (fault: FailNext) => call<{ waiting: number }>("POST", "/api/simulate/fail-next", { body: fault }),
  clearCache: () => call<{ removed: number }>("DELETE", "/api/cache"),
};
