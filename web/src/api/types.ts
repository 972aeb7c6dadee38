/** The shapes of the API under the names that the pages use. They come from the served OpenAPI; see `schema.d.ts`. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Run = Schemas["Run"];
export type RunSummary = Omit<Schemas["RunSummary"], "status"> & { status: RunStatus };
export type RunStatus = Schemas["Status"];
export type Step = Schemas["Step"];
export type StepStatus = Schemas["StepStatusView"];
export type ErrorView = Schemas["ErrorView"];
export type TraceEvent = Schemas["TraceEvent"];
export type Workflow = Schemas["WorkflowView"];
export type Draft = Schemas["DraftView"];
export type VersionDocument = Schemas["VersionDocument"];
export type WorkflowSummary = Schemas["WorkflowSummary"];
export type ProblemItem = Schemas["ProblemItem"];
export type Catalog = Schemas["CatalogView"];
export type Secret = Schemas["SecretView"];
export type AccessKey = Schemas["KeyView"];
export type CreatedKey = Schemas["CreatedKey"];
export type KeyScope = Schemas["KeyScope"];
export type Retention = Schemas["RetentionView"];
export type Removal = Schemas["Removal"];
export type ForkPreview = Schemas["Preview"];
export type Aligned = Schemas["Aligned"];
export type Side = Schemas["Side"];
/** Where a run is taken up again, and what is to be different. */
export interface Fork {
  from: string;
  input_vars?: Record<string, unknown>;
  edits: Record<string, NodeEdit>;
}
/** Properties that replace those of the node; null removes one. */
export interface NodeEdit {
  config: Record<string, unknown>;
  inputs: Record<string, unknown>;
}
export type Approval = Schemas["Approval"];
/** What a person says: yes, yes to something else, or no. */
export type Decide = { decision: "approve"; payload?: unknown; reason?: string } | { decision: "reject"; reason?: string };
export type TraceSummary = Omit<Schemas["TraceSummary"], "status"> & { status: TraceStatus };
export type TraceStatus = "ok" | "failed" | "running";
export type Trace = Schemas["Trace"];
export type Span = Schemas["Span"];
export type Score = Schemas["Score"];
export type NewScore = Schemas["NewScore"];
/** What is to be different when the model call of a span is made again. */
export type SpanReplay = Schemas["ReplayRequest"];
export type SpanReplayPreview = Schemas["ReplayPreview"];
export type Conversation = Schemas["Conversation"];
export type FailNext = Partial<Schemas["FailNext"]>;

/** A value in an event: in place, or addressed by its content. */
export type EventValue = { inline: unknown } | { blob: { hash: string; bytes: number; preview: string } };

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
  on?: string;
}
export interface Graph {
  version?: string;
  entry?: string;
  nodes: GraphNode[];
  edges: GraphEdge[];
  [key: string]: unknown;
}
