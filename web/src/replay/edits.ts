import { nodesIn, placeOf } from "@/api/place";
import type { Fork, Graph, GraphNode, NodeEdit } from "@/api/types";
import { parseJson, prettyJson } from "@/ui/json";

/** A property that is edited as text; everything else is in the JSON of the configuration. */
export interface TextEdit {
  key: "prompt" | "system" | "instructions" | "provider" | "model";
  label: string;
  long: boolean;
}

const texts: Record<string, TextEdit[]> = {
  llm: [
    { key: "prompt", label: "Prompt", long: true },
    { key: "system", label: "System message", long: true },
    { key: "provider", label: "Provider", long: false },
    { key: "model", label: "Model", long: false },
  ],
  agent: [
    { key: "instructions", label: "Instructions", long: true },
    { key: "prompt", label: "Task", long: true },
    { key: "provider", label: "Provider", long: false },
    { key: "model", label: "Model", long: false },
  ],
};

export const textEdits = (type: string): TextEdit[] => texts[type] ?? [];

/** The node of the document that a step belongs to: the turns of an agent belong to the agent. */
export function nodeOfStep(graph: Graph, step: { node_id: string; step_id: string }): GraphNode | undefined {
  const own = placeOf(graph, step.node_id)?.node;
  if (own) return own;
  const path = step.step_id.split("/").map((part) => part.replace(/\[\d+\]$/, ""));
  for (const id of path.reverse()) {
    const above = placeOf(graph, id)?.node;
    if (above) return above;
  }
  return undefined;
}

/** The nodes that can be edited: the step's own, what is in its body, and those of other steps that run again. */
export function editable(graph: Graph, step: { node_id: string; step_id: string }, again: readonly { step_id: string }[]): GraphNode[] {
  const own = nodeOfStep(graph, step);
  const others = again.flatMap(({ step_id }) => {
    const last = step_id.split("/").at(-1)?.replace(/\[\d+\]$/, "") ?? "";
    return nodeOfStep(graph, { node_id: last, step_id }) ?? [];
  });
  return [...new Map([...(own ? [own, ...nodesIn(own)] : []), ...others].map((node) => [node.id, node])).values()];
}

/** What is in the form about one node. Absent: as it was. */
export interface NodeDraft {
  texts: Partial<Record<TextEdit["key"], string>>;
  /** Of the configuration, what is no text of its own; as JSON. */
  rest?: string;
  inputs?: string;
}

export interface Draft {
  /** By the ids of nodes. */
  nodes: Record<string, NodeDraft>;
  /** The input of the run, as JSON. */
  run?: string;
}

export const UNCHANGED: NodeDraft = { texts: {} };

/** What of the configuration is edited as JSON. A body is a graph, which the editor is for. */
export function restOf(node: GraphNode): Record<string, unknown> {
  const rest: Record<string, unknown> = { ...node.config };
  for (const { key } of textEdits(node.type)) delete rest[key];
  delete rest.body;
  return rest;
}

type Read = { changes: Record<string, unknown>; error?: undefined } | { error: string };

/** The properties in which an edited object differs; those that are gone are null. */
function changes(before: Record<string, unknown>, text: string | undefined, what: string): Read {
  if (text === undefined) return { changes: {} };
  const read = parseJson(text);
  if (read.error !== undefined) return { error: `${what}: ${read.error}` };
  const { value } = read;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { error: `${what}: this has to be an object, { … }.` };
  const after = value as Record<string, unknown>;
  const changed: Record<string, unknown> = {};
  for (const key of Object.keys(before)) if (!(key in after)) changed[key] = null;
  for (const [key, each] of Object.entries(after)) if (JSON.stringify(each) !== JSON.stringify(before[key])) changed[key] = each;
  return { changes: changed };
}

type Edited = { edit: NodeEdit | null; error?: undefined } | { error: string };

function editOf(node: GraphNode, draft: NodeDraft): Edited {
  const config: Record<string, unknown> = {};
  for (const { key } of textEdits(node.type)) {
    const text = draft.texts[key];
    const before = node.config?.[key];
    if (text === undefined || text === (before ?? "")) continue;
    // An empty field means that the node does not say it.
    config[key] = text === "" ? null : text;
  }
  const rest = changes(restOf(node), draft.rest, `Configuration of ${node.id}`);
  if (rest.error !== undefined) return rest;
  const inputs = changes(node.inputs ?? {}, draft.inputs, `Inputs of ${node.id}`);
  if (inputs.error !== undefined) return inputs;
  Object.assign(config, rest.changes);
  const any = Object.keys(config).length > 0 || Object.keys(inputs.changes).length > 0;
  return { edit: any ? { config, inputs: inputs.changes } : null };
}

/** The request that says what is in the form, or what is wrong with it. */
export function forkOf(from: string, nodes: readonly GraphNode[], runInput: unknown, draft: Draft): { fork: Fork; edited: boolean; error?: undefined } | { error: string } {
  const fork: Fork = { from, edits: {} };
  for (const node of nodes) {
    const made = editOf(node, draft.nodes[node.id] ?? UNCHANGED);
    if (made.error !== undefined) return made;
    if (made.edit) fork.edits[node.id] = made.edit;
  }
  if (draft.run !== undefined && draft.run !== prettyJson(runInput)) {
    const read = parseJson(draft.run);
    if (read.error !== undefined) return { error: `Input of the run: ${read.error}` };
    if (typeof read.value !== "object" || read.value === null || Array.isArray(read.value)) return { error: "Input of the run: this has to be an object, { … }." };
    fork.input_vars = read.value as Record<string, unknown>;
  }
  return { fork, edited: fork.input_vars !== undefined || Object.keys(fork.edits).length > 0 };
}
