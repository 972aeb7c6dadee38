import { bodyOf, inOrder, levelAt, nodeAt, outgoing, readLevel, type BodyPath } from "./graph";
import { numberIn, parseJson } from "@/api/lossless";
import type { Place } from "@/nodes/graph/shape";
import { getIn, isObject, setIn, type JsonObject, type Segments } from "./pointer";
import { renameIn } from "./references";

/** What the editor does to a document. Each is pure: a document comes in, a new one goes out, and nothing unknown gets lost. */

export type Doc = JsonObject;

const set = (document: Doc, at: Segments, value: unknown) => setIn(document, at, value) as Doc;
const list = (document: Doc, at: Segments): unknown[] => {
  const value = getIn(document, at);
  return Array.isArray(value) ? value : [];
};

export const setValue = set;

/** Words of the languages of rules and templates, and roots of paths: no step can be called so. */
const RESERVED = new Set(
  "true false null in as break const continue else for function if import let loop package namespace return var void while and or not is none None True False input node branch each iteration vars session config".split(" "),
);

/** The ids of all steps, those in bodies included: they have to differ in the whole document. */
export function idsIn(graph: unknown, found = new Set<string>()): Set<string> {
  for (const { id, node } of readLevel(graph, []).nodes) {
    if (id !== "") found.add(id);
    const body = bodyOf(node);
    if (body) idsIn(body, found);
  }
  return found;
}

export function newId(taken: ReadonlySet<string>, wanted: string): string {
  const base = wanted.replaceAll(/\W+/g, "_").replace(/^(?=\d)/, "_").slice(0, 56) || "step";
  for (let number = RESERVED.has(base) ? 2 : 1; ; number++) {
    const id = number === 1 ? base : `${base}_${number}`;
    if (!taken.has(id)) return id;
  }
}

/** Adds a step; with `after`, what follows that one. The first step of a graph is where it starts. */
export function addNode(document: Doc, path: BodyPath, node: JsonObject & { id: string }, after?: string): Doc {
  const level = levelAt(document, path);
  let next = set(document, [...level.at, "nodes"], [...list(document, [...level.at, "nodes"]), node]);
  if (after !== undefined) next = connect(next, path, after, node.id);
  return level.entry && level.byKey.has(level.entry) ? next : set(next, [...level.at, "entry"], node.id);
}

export function connect(document: Doc, path: BodyPath, from: string, to: string): Doc {
  const at = [...levelAt(document, path).at, "edges"];
  return set(document, at, [...list(document, at), { from, to }]);
}

export function disconnect(document: Doc, path: BodyPath, index: number): Doc {
  const at = [...levelAt(document, path).at, "edges"];
  return set(document, at, list(document, at).toSpliced(index, 1));
}

/** Takes steps away, and the edges at them. What led to the entry's end is where the graph starts then. */
export function removeNodes(document: Doc, path: BodyPath, keys: readonly string[]): Doc {
  const level = levelAt(document, path);
  const gone = new Set(keys);
  const ids = new Set(level.nodes.filter((node) => gone.has(node.key)).map((node) => node.id));
  const indices = new Set(level.nodes.filter((node) => gone.has(node.key)).map((node) => node.index));
  // Where two nodes have the same id, its edges belong to the one that stays.
  for (const node of level.nodes) if (!gone.has(node.key)) ids.delete(node.id);
  const touches = (edge: unknown) => isObject(edge) && (ids.has(String(edge.from)) || ids.has(String(edge.to)));
  let next = set(document, [...level.at, "nodes"], list(document, [...level.at, "nodes"]).filter((_, index) => !indices.has(index)));
  next = set(next, [...level.at, "edges"], list(document, [...level.at, "edges"]).filter((edge) => !touches(edge)));
  if (level.entry !== undefined && ids.has(level.entry)) {
    const left = levelAt(next, path);
    const follower = outgoing(level, level.entry).find((edge) => left.byKey.has(edge.to))?.to;
    next = set(next, [...level.at, "entry"], follower ?? inOrder(left)[0]?.id ?? "");
  }
  return next;
}

/** Gives a step another id, and everything that names it follows: edges, the entry, bindings and rules, also in bodies. */
export function renameNode(document: Doc, path: BodyPath, key: string, to: string): Doc {
  const level = levelAt(document, path);
  const node = level.byKey.get(key);
  if (!node || node.id === to) return document;
  let next = document;
  // With two nodes of one id, nobody can tell which one the others mean.
  if (node.id !== "" && level.nodes.filter((each) => each.id === node.id).length === 1) {
    const end = (value: unknown) => (value === node.id ? to : value);
    const edges = list(document, [...level.at, "edges"]).map((edge) => {
      if (!isObject(edge)) return edge;
      const moved = edge.from === node.id || edge.to === node.id ? { ...edge, from: end(edge.from), to: end(edge.to) } : edge;
      return renameIn(moved, node.id, to);
    });
    next = set(next, [...level.at, "edges"], edges);
    next = set(next, [...level.at, "nodes"], renameIn(list(next, [...level.at, "nodes"]), node.id, to));
    if (level.entry === node.id) next = set(next, [...level.at, "entry"], to);
  }
  return set(next, [...nodeAt(level, node), "id"], to);
}

export function placeOf(node: JsonObject): Place | undefined {
  const position = isObject(node.ui) ? node.ui.position : undefined;
  const [x, y] = isObject(position) ? [numberIn(position.x), numberIn(position.y)] : [];
  return x === undefined || y === undefined ? undefined : { x, y };
}

/** Keeps places of steps in the document (`ui.position`, which the engine ignores). */
export function moveNodes(document: Doc, path: BodyPath, places: ReadonlyMap<string, Place>): Doc {
  const level = levelAt(document, path);
  const nodes = [...list(document, [...level.at, "nodes"])];
  for (const node of level.nodes) {
    const place = places.get(node.key);
    if (place) nodes[node.index] = setIn(node.node, ["ui", "position"], { x: Math.round(place.x), y: Math.round(place.y) });
  }
  return set(document, [...level.at, "nodes"], nodes);
}

/** Takes all places of a level away, so that it is laid out by itself. */
export function tidy(document: Doc, path: BodyPath): Doc {
  const level = levelAt(document, path);
  if (!level.nodes.some((node) => placeOf(node.node))) return document;
  const nodes = list(document, [...level.at, "nodes"]).map((node) => {
    if (!isObject(node) || !isObject(node.ui)) return node;
    const ui = setIn(node.ui, ["position"], undefined) as JsonObject;
    return setIn(node, ["ui"], Object.keys(ui).length > 0 ? ui : undefined);
  });
  return set(document, [...level.at, "nodes"], nodes);
}

/** Steps and the edges between them, as they go through the clipboard. */
export interface Clip {
  flowtrace: "steps";
  nodes: JsonObject[];
  edges: JsonObject[];
}

export function copyNodes(document: Doc, path: BodyPath, keys: readonly string[]): Clip {
  const level = levelAt(document, path);
  const chosen = level.nodes.filter((node) => keys.includes(node.key));
  const ids = new Set(chosen.map((node) => node.id));
  const edges = level.edges.filter((edge) => ids.has(edge.from) && ids.has(edge.to)).map((edge) => getIn(document, [...level.at, "edges", edge.index]) as JsonObject);
  return { flowtrace: "steps", nodes: chosen.map((node) => node.node), edges };
}

export function readClip(text: string): Clip | undefined {
  try {
    const value = parseJson(text);
    if (isObject(value) && value.flowtrace === "steps" && Array.isArray(value.nodes) && Array.isArray(value.edges)) {
      return { flowtrace: "steps", nodes: value.nodes.filter(isObject), edges: value.edges.filter(isObject) };
    }
  } catch {
    // Some other text.
  }
  return undefined;
}

const PASTE_BY = 32;

/** Adds copies under new ids where theirs are taken; what they read of one another they read of the copies. */
export function pasteNodes(document: Doc, path: BodyPath, clip: Clip): { document: Doc; keys: string[] } {
  const level = levelAt(document, path);
  const taken = idsIn(document);
  const renames = new Map<string, string>();
  for (const old of idsIn({ nodes: clip.nodes })) {
    const id = newId(taken, old);
    taken.add(id);
    renames.set(old, id);
  }
  // By way of names that nobody has, so that `a` → `b` and `b` → `b_2` do not meet.
  const changed = [...renames].filter(([from, to]) => from !== to);
  const rewrite = (value: unknown) => {
    let next = value;
    changed.forEach(([from], index) => (next = renameIn(next, from, `__pasted_${index}`)));
    changed.forEach(([, to], index) => (next = renameIn(next, `__pasted_${index}`, to)));
    return next as JsonObject;
  };
  const nodes = (rewrite(clip.nodes) as unknown as JsonObject[]).map((node) => {
    const copy = withIds(node, renames, (id) => id || newId(taken, "step"));
    const place = placeOf(copy);
    return place ? (setIn(copy, ["ui", "position"], { x: place.x + PASTE_BY, y: place.y + PASTE_BY }) as JsonObject) : copy;
  });
  const edges = clip.edges.map((edge) => withEnds(rewrite(edge), renames));
  let next = set(document, [...level.at, "nodes"], [...list(document, [...level.at, "nodes"]), ...nodes]);
  if (edges.length > 0) next = set(next, [...level.at, "edges"], [...list(document, [...level.at, "edges"]), ...edges]);
  const keys = nodes.map((node) => String(node.id));
  if (!(level.entry && level.byKey.has(level.entry)) && keys[0]) next = set(next, [...level.at, "entry"], keys[0]);
  return { document: next, keys };
}

const named = (value: unknown, renames: ReadonlyMap<string, string>) => (typeof value === "string" ? (renames.get(value) ?? value) : value);

const withEnds = (edge: JsonObject, renames: ReadonlyMap<string, string>): JsonObject => ({ ...edge, from: named(edge.from, renames), to: named(edge.to, renames) });

/** A step under its new id, with everything in its body under theirs. */
function withIds(node: JsonObject, renames: ReadonlyMap<string, string>, orElse: (id: string) => string): JsonObject {
  const copy = { ...node, id: orElse(String(named(node.id, renames) ?? "")) };
  const body = bodyOf(node);
  if (!body) return copy;
  const inside = {
    ...body,
    entry: named(body.entry, renames),
    nodes: Array.isArray(body.nodes) ? body.nodes.map((each) => (isObject(each) ? withIds(each, renames, (id) => id) : (each as unknown))) : body.nodes,
    ...(Array.isArray(body.edges) && { edges: body.edges.map((edge) => (isObject(edge) ? withEnds(edge, renames) : (edge as unknown))) }),
  };
  return setIn(copy, ["config", "body"], inside) as JsonObject;
}
