import { inputsRead } from "@/api/document";
import { kindLabel } from "@/nodes/kind";
import { levelAt, upstreamOf, type BodyPath, type GraphLevel, type LevelNode } from "./graph";
import { isObject, type JsonObject } from "./pointer";
import { bindingsIn, nodesRead } from "./references";

export interface Suggestion {
  text: string;
  note: string;
}

/** Where a text stands decides what it can read. */
export type Place = "inputs" | "config" | "when";

export interface Readable {
  suggestions: Suggestion[];
  /** Ids that can be read as `node.<id>`; others are mistakes. */
  nodes: Set<string>;
}

/** What a tool of this deployment says of its output, by the name of the tool. */
export type ToolOutputs = ReadonlyMap<string, unknown>;
const NO_TOOLS: ToolOutputs = new Map();

/** What a text of a step can read: steps upstream, the nearest first, the step's own inputs, the run's input. */
export function readable(document: JsonObject, path: BodyPath, key: string, place: Place, tools: ToolOutputs = NO_TOOLS): Readable {
  const suggestions: Suggestion[] = [];
  const nodes = new Set<string>();
  const level = levelAt(document, path);
  const self = level.byKey.get(key);
  if (self && place !== "inputs") for (const name of Object.keys(inputsOf(self.node))) suggestions.push({ text: name, note: "input of this step" });
  if (self && place === "when") {
    if (DECIDES.has(self.type)) suggestions.unshift({ text: "branch", note: "decision of this step" });
    nodes.add(self.id);
    suggestions.push(...outputsOf(level, self.id, tools));
  }
  const add = (at: GraphLevel, from: string) => {
    for (const id of upstreamOf(at, from)) {
      if (nodes.has(id)) continue;
      nodes.add(id);
      suggestions.push(...outputsOf(at, id, tools));
    }
  };
  if (self) add(level, self.id);
  // A body reads what is upstream of the step that it is in, and what that step gives to it.
  for (let depth = path.length; depth > 0; depth--) {
    const outer = levelAt(document, path.slice(0, depth - 1));
    const holder = outer.byKey.get(path[depth - 1] ?? "");
    if (!holder) continue;
    suggestions.push(...givenBy(holder));
    add(outer, holder.id);
  }
  // The rules of a loop, and how its state changes, read its iteration and the steps of its body.
  if (self?.type === "loop" && place === "config") {
    suggestions.push(...givenBy(self));
    const body = levelAt(document, [...path, self.key]);
    if (body !== level) {
      for (const node of body.nodes) {
        nodes.add(node.id);
        suggestions.push(...outputsOf(body, node.id, tools));
      }
    }
  }
  for (const name of inputsRead(document)) suggestions.push({ text: `input.${name}`, note: "given when the run starts" });
  suggestions.push({ text: "input", note: "all that the run was started with" });
  return { suggestions, nodes };
}

/** Kinds whose decision is read as `branch`. */
const DECIDES = new Set(["router", "gate", "approval"]);

/** Outputs whose fields are known. */
const FIELDS: Record<string, string[]> = { approval: ["decision", "payload", "by", "reason"], loop: ["output", "state", "iterations"] };

/** What a step with a body gives to it. */
function givenBy(holder: LevelNode): Suggestion[] {
  if (holder.type === "map") return [{ text: "each.item", note: `item of ${holder.name}` }, { text: "each.index", note: "its number, from 0" }];
  if (holder.type !== "loop") return [];
  const state = isObject(holder.node.config) && isObject(holder.node.config.state) ? Object.keys(holder.node.config.state) : [];
  return [
    ...state.map((name) => ({ text: `iteration.state.${name}`, note: `state of ${holder.name}` })),
    { text: "iteration.last", note: "what came out the last time" },
    { text: "iteration.index", note: "its number, from 0" },
  ];
}

const inputsOf = (node: JsonObject) => (isObject(node.inputs) ? node.inputs : {});

function outputsOf(level: GraphLevel, id: string, tools: ToolOutputs): Suggestion[] {
  const node = level.byKey.get(id);
  if (!node) return [];
  const note = node.name === id ? kindLabel(node.type) : `${node.name} · ${kindLabel(node.type)}`;
  const output = `node.${id}.output`;
  const passed = Object.keys(inputsOf(node.node)).map((name) => ({ text: `${output}.${name}`, note }));
  const fixed = FIELDS[node.type]?.map((name) => ({ text: `${output}.${name}`, note }));
  if (DECIDES.has(node.type)) return [{ text: `node.${id}.branch`, note }, ...(fixed ?? passed)];
  if (fixed) return [{ text: output, note }, ...fixed];
  const config = isObject(node.node.config) ? node.node.config : {};
  const schema = node.type === "tool" ? tools.get(String(config.tool ?? (config.url === undefined ? "" : "http"))) : config.schema;
  return [{ text: output, note }, ...fieldsOf(schema, output, 0).slice(0, MOST_FIELDS).map(({ text, type }) => ({ text, note: type ? `${note} · ${type}` : note }))];
}

/** Of an output with more fields than this, these many are offered. */
const MOST_FIELDS = 60;
const DEEPEST = 3;

/** What a JSON Schema says is in a value, by path; only names that need no quotes. */
function fieldsOf(schema: unknown, at: string, depth: number): { text: string; type: string | undefined }[] {
  if (!isObject(schema) || !isObject(schema.properties) || depth > DEEPEST) return [];
  return Object.entries(schema.properties)
    .filter(([name]) => /^[A-Za-z_]\w*$/.test(name))
    .flatMap(([name, inner]) => {
      const text = `${at}.${name}`;
      const type = isObject(inner) && typeof inner.type === "string" ? inner.type : undefined;
      return [{ text, type }, ...fieldsOf(inner, text, depth + 1)];
    });
}

export interface Completion {
  /** The text from here to the caret is what was typed of the name. */
  start: number;
  typed: string;
}

/** What is being typed at the caret, if a name can stand there. */
export function completionAt(text: string, caret: number, expression: boolean): Completion | null {
  const before = text.slice(0, caret);
  if (!expression) {
    const open = Math.max(before.lastIndexOf("{{"), before.lastIndexOf("{%"));
    if (open < 0) return null;
    const inner = before.slice(open + 2);
    if (inner.includes("}}") || inner.includes("%}")) return null;
  }
  const typed = /[A-Za-z_][\w.]*$|$/.exec(expression ? before : before.slice(Math.max(before.lastIndexOf("{{"), before.lastIndexOf("{%")) + 2))?.[0] ?? "";
  // After `x.` of another path, or in a text in quotes, there is nothing to say.
  if (expression && (before.match(/'/g)?.length ?? 0) % 2 === 1) return null;
  return { start: caret - typed.length, typed };
}

export function matching(suggestions: readonly Suggestion[], typed: string): Suggestion[] {
  const word = typed.toLowerCase();
  const starts = suggestions.filter(({ text }) => text.toLowerCase().startsWith(word));
  const others = suggestions.filter(({ text, note }) => !starts.some((one) => one.text === text) && `${text} ${note}`.toLowerCase().includes(word));
  return [...starts, ...others].filter(({ text }) => text !== typed).slice(0, 30);
}

/** The text with a name put in, and the braces closed where they are not; and where the caret goes. */
export function completed(text: string, caret: number, { start }: Completion, name: string, expression: boolean): { text: string; caret: number } {
  const after = text.slice(caret);
  const closes = expression || /^[^{}]*(\}\}|%\})/.test(after);
  return { text: `${text.slice(0, start)}${name}${closes ? "" : "}}"}${after}`, caret: start + name.length + (closes ? 0 : 2) };
}

export interface Piece {
  text: string;
  kind: "text" | "binding" | "wrong";
}

/** A template cut where its bindings are; wrong are those that read what cannot be read, or that a problem of this text names. */
export function pieces(text: string, nodes: ReadonlySet<string>, problems: readonly { message: string }[]): Piece[] {
  const named = problems.flatMap(({ message }) => [...message.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ""));
  const found: Piece[] = [];
  let at = 0;
  for (const { start, end, inner } of bindingsIn(text)) {
    if (start > at) found.push({ text: text.slice(at, start), kind: "text" });
    const wrong = nodesRead(inner).some((id) => !nodes.has(id)) || named.some((name) => mentions(inner, name));
    found.push({ text: text.slice(start, end), kind: wrong ? "wrong" : "binding" });
    at = end;
  }
  if (at < text.length) found.push({ text: text.slice(at), kind: "text" });
  return found;
}

function mentions(code: string, name: string): boolean {
  const at = code.indexOf(name);
  return at >= 0 && !/\w/.test(code[at - 1] ?? "") && !/\w/.test(code[at + name.length] ?? "");
}
