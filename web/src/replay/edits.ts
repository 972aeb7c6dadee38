import { placeOf } from "@/api/place";
import type { Fork, Graph, GraphNode } from "@/api/types";
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

/** What is in the form. Absent: as it was. */
export interface Draft {
  texts: Partial<Record<TextEdit["key"], string>>;
  /** Of the configuration, what is no text of its own; as JSON. */
  rest?: string;
  inputs?: string;
  /** The input of the run, as JSON. */
  run?: string;
}

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

/** The request that says what is in the form, or what is wrong with it. */
export function forkOf(from: string, node: GraphNode | undefined, runInput: unknown, draft: Draft): { fork: Fork; edited: boolean; error?: undefined } | { error: string } {
  const fork: Fork = { from, edits: {} };
  if (node) {
    const config: Record<string, unknown> = {};
    for (const { key } of textEdits(node.type)) {
      const text = draft.texts[key];
      const before = node.config?.[key];
      if (text === undefined || text === (before ?? "")) continue;
      // An empty field means that the node does not say it.
      config[key] = text === "" ? null : text;
    }
    const rest = changes(restOf(node), draft.rest, "Configuration");
    if (rest.error !== undefined) return rest;
    const inputs = changes(node.inputs ?? {}, draft.inputs, "Inputs of the step");
    if (inputs.error !== undefined) return inputs;
    Object.assign(config, rest.changes);
    if (Object.keys(config).length > 0 || Object.keys(inputs.changes).length > 0) fork.edits[node.id] = { config, inputs: inputs.changes };
  }
  if (draft.run !== undefined && draft.run !== prettyJson(runInput)) {
    const read = parseJson(draft.run);
    if (read.error !== undefined) return { error: `Input of the run: ${read.error}` };
    if (typeof read.value !== "object" || read.value === null || Array.isArray(read.value)) return { error: "Input of the run: this has to be an object, { … }." };
    fork.input_vars = read.value as Record<string, unknown>;
  }
  return { fork, edited: fork.input_vars !== undefined || Object.keys(fork.edits).length > 0 };
}
