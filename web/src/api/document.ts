import { parseJson } from "./lossless";
import type { Graph } from "./types";

/** A workflow document as far as its shape can be trusted: nodes and edges are there, or empty. */
export function graphOf(document: unknown): Graph {
  let value = document;
  if (typeof value === "string") {
    try {
      value = JSON.parse(value);
    } catch {
      value = null;
    }
  }
  const object = typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
  const list = <T>(items: unknown) => (Array.isArray(items) ? (items.filter((item) => typeof item === "object" && item !== null) as T[]) : []);
  return { ...object, nodes: list(object.nodes), edges: list(object.edges) };
}

// In `{{ … }}` and `{% … %}`: `input.name` and `input["name"]`, but not `x.input.name`.
const BLOCK = /\{\{([\s\S]*?)\}\}|\{%([\s\S]*?)%\}/g;
const REFERENCE = /(?<![\w.\])"'])input(?:\.([A-Za-z_]\w*)|\[\s*(?:"([^"\]]+)"|'([^'\]]+)')\s*\])/g;

/** Properties whose text is an expression as a whole. */
const EXPRESSIONS = new Set(["rule", "when", "until", "while", "check"]);

/** The names that the document reads from the run's input, in the order in which they appear. */
export function inputsRead(document: unknown): string[] {
  const names = new Set<string>();
  const read = (code: string) => {
    for (const [, dotted, double, single] of code.matchAll(REFERENCE)) {
      const name = dotted ?? double ?? single;
      if (name) names.add(name);
    }
  };
  const visit = (value: unknown, property?: string): void => {
    if (typeof value === "string") {
      if (property !== undefined && EXPRESSIONS.has(property)) read(value);
      else for (const block of value.matchAll(BLOCK)) read(block[1] ?? block[2] ?? "");
    } else if (Array.isArray(value)) value.forEach((item) => visit(item));
    else if (typeof value === "object" && value !== null) Object.entries(value).forEach(([name, item]) => visit(item, name));
  };
  visit(typeof document === "string" ? graphOf(document) : document);
  return [...names];
}

/** What was typed, as a value: JSON where it looks like a JSON number, bool, list or object, else the text itself. */
export function inputValue(text: string): unknown {
  if (/^\s*(-?\d|true\b|false\b|null\b|[[{])/.test(text)) {
    try {
      return parseJson(text);
    } catch {
      return text;
    }
  }
  return text;
}
