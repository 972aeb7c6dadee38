import { isObject, type JsonObject } from "./pointer";

/** Properties that hold an expression, where there is no schema at hand. `until` of a wait is a time, which reads nothing. */
const EXPRESSION_NAMES = new Set(["rule", "when", "until", "while", "check"]);

const BLOCK = /\{\{[\s\S]*?\}\}|\{%[\s\S]*?%\}/g;

/** `node.<id>` and `node["<id>"]`, not as a part of another path. */
const reference = (id: string) => new RegExp(`(?<![\\w.\\])"'])node(?:\\.${id}(?!\\w)|\\[\\s*(["'])${id}\\1\\s*\\])`, "g");

/** A text with every mention of one node as another. */
function renamedText(text: string, expression: boolean, from: string, to: string): string {
  const rename = (part: string) => part.replace(reference(from), `node.${to}`);
  return expression ? rename(text) : text.replace(BLOCK, rename);
}

/** A value in which bindings and rules that read one node read another. What is unchanged stays the same object. */
export function renameIn(value: unknown, from: string, to: string, expression = false): unknown {
  if (typeof value === "string") return renamedText(value, expression, from, to);
  if (Array.isArray(value)) {
    const items = value.map((item) => renameIn(item, from, to, expression));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  if (!isObject(value)) return value;
  let changed = false;
  const entries = Object.entries(value).map(([name, item]) => {
    const next = renameIn(item, from, to, EXPRESSION_NAMES.has(name));
    changed ||= next !== item;
    return [name, next] as const;
  });
  return changed ? (Object.fromEntries(entries) as JsonObject) : value;
}

export interface Binding {
  /** Of the whole braces. */
  start: number;
  end: number;
  /** What is between them. */
  inner: string;
}

/** Where in a template the bindings are. */
export function bindingsIn(text: string): Binding[] {
  return [...text.matchAll(BLOCK)].map((match) => ({ start: match.index, end: match.index + match[0].length, inner: match[0].slice(2, -2) }));
}

/** The ids that a piece of code reads as `node.<id>`. */
export function nodesRead(code: string): string[] {
  return [...code.matchAll(/(?<![\w.\])"'])node(?:\.([A-Za-z_]\w*)|\[\s*["']([^"']+)["']\s*\])/g)].flatMap(([, dotted, quoted]) => dotted ?? quoted ?? []);
}
