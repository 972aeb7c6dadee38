/** The shapes of the API, by the names that the pages use. */

export type RunStatus = "queued" | "running" | "succeeded" | "failed" | "canceled";
export type StepStatus = "running" | "waiting" | "succeeded" | "failed" | "skipped" | "canceled";

export interface ErrorView {
  code: string;
  message: string;
  status?: number | null;
  retry_after_ms?: number | null;
  upstream_request_id?: string | null;
}

export interface Step {
  step_id: string;
  node_id: string;
  node_type: string;
  name: string;
  status: StepStatus;
  started_at?: string | null;
  finished_at?: string | null;
  latency_ms?: number | null;
  first_token_ms?: number | null;
  attempts: number;
  requests: number;
  next_attempt_at?: string | null;
  cached: boolean;
  provider?: string | null;
  model?: string | null;
  answered_by?: string | null;
  simulated: boolean;
  tokens_input?: number | null;
  tokens_output?: number | null;
  tokens_cached?: number | null;
  tokens_reasoning?: number | null;
  cost_nanousd?: number | null;
  cost_cents?: number | null;
  saved_nanousd?: number | null;
  branch?: unknown;
  input?: unknown;
  input_bytes?: number | null;
  input_truncated: boolean;
  output?: unknown;
  output_bytes?: number | null;
  output_truncated: boolean;
  error?: ErrorView | null;
}

export interface Run {
  id: string;
  workflow_id?: string | null;
  workflow_version?: number | null;
  workflow_hash: string;
  trace_id: string;
  session_id?: string | null;
  triggered_by: string;
  status: RunStatus;
  phase?: "executing" | "waiting" | null;
  cancel_requested: boolean;
  simulated: boolean;
  started_at: string;
  finished_at?: string | null;
  total_tokens: number;
  total_cost_nanousd: number;
  total_cost_cents: number;
  cost_complete: boolean;
  total_latency_ms?: number | null;
  retries: number;
  fallbacks: number;
  cache_hits: number;
  saved_nanousd: number;
  error_summary?: string | null;
  error?: ErrorView | null;
  failed_step?: string | null;
  budget_exceeded?: string | null;
  input?: unknown;
  input_bytes: number;
  input_truncated: boolean;
  output?: unknown;
  output_bytes?: number | null;
  output_truncated: boolean;
  last_seq: number;
  step_count: number;
  steps: Step[];
  next_steps_cursor?: string | null;
}

export interface RunSummary {
  id: string;
  workflow_id?: string | null;
  workflow_version?: number | null;
  workflow_hash: string;
  trace_id: string;
  session_id?: string | null;
  triggered_by: string;
  status: RunStatus;
  simulated: boolean;
  started_at: string;
  finished_at?: string | null;
  total_tokens: number;
  total_cost_nanousd: number;
  total_cost_cents: number;
  cost_complete: boolean;
  total_latency_ms?: number | null;
  steps: number;
  retries: number;
  cache_hits: number;
  error_summary?: string | null;
  failed_step?: string | null;
}

export interface TraceEvent {
  seq: number;
  ts: string;
  kind: string;
  step_id?: string | null;
  payload: Record<string, unknown>;
}

/** A value in an event: in place, or addressed by its content. */
export type EventValue = { inline: unknown } | { blob: { hash: string; bytes: number; preview: string } };

export interface WorkflowSummary {
  id: string;
  name: string;
  description?: string | null;
  version: number;
  hash: string;
  created_at: string;
  updated_at: string;
}

export interface Workflow extends WorkflowSummary {
  owner_id?: string | null;
  graph_json: unknown;
}

export interface ProblemItem {
  code: string;
  pointer: string;
  message: string;
  suggestion?: string | null;
}

/** Fields of a workflow document that the UI reads. Documents come from outside: everything may be missing. */
export interface GraphNode {
  id: string;
  type: string;
  name?: string;
  config?: Record<string, unknown>;
  inputs?: Record<string, unknown>;
  [key: string]: unknown;
}
export interface GraphEdge {
  from: string;
  to: string;
  when?: string;
}
export interface Graph {
  version?: string;
  entry?: string;
  nodes: GraphNode[];
  edges: GraphEdge[];
  [key: string]: unknown;
}
