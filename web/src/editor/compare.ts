import { writeJson } from "@/api/lossless";
import { isObject, same, type JsonObject } from "./pointer";
import { readText } from "./store";

export interface Difference {
  /** What it is about: a step, the edges, a property of the workflow. */
  about: string;
  mine: string | null;
  theirs: string | null;
}

const shown = (value: unknown) => (value === undefined ? null : writeJson(value, 2));

/** What differs between two texts of a document, by step where both are documents. */
export function differences(mine: string, theirs: string): Difference[] {
  const [a, b] = [readText(mine), readText(theirs)];
  if (!a || !b) return mine === theirs ? [] : [{ about: "Text", mine, theirs }];
  const [before, after] = [byId(a), byId(b)];
  const found: Difference[] = [];
  for (const id of new Set([...before.keys(), ...after.keys()])) {
    const [one, other] = [before.get(id), after.get(id)];
    if (!same(one, other)) found.push({ about: `Step ${id}`, mine: shown(one), theirs: shown(other) });
  }
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    if (name === "nodes" || same(a[name], b[name])) continue;
    found.push({ about: name === "edges" ? "Edges" : name, mine: shown(a[name]), theirs: shown(b[name]) });
  }
  // The same steps in another order.
  if (found.length === 0 && !same(a.nodes, b.nodes)) found.push({ about: "Order of the steps", mine: [...before.keys()].join("\n"), theirs: [...after.keys()].join("\n") });
  return found;
}

function byId(document: JsonObject): Map<string, unknown> {
  const nodes: unknown[] = Array.isArray(document.nodes) ? document.nodes : [];
  return new Map(nodes.map((node, index) => [isObject(node) && typeof node.id === "string" ? node.id : `#${index + 1}`, node]));
}
