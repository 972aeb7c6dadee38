import { isObject, toPointer, type JsonObject, type Segments } from "./pointer";

/**
 * One level of a document: the workflow itself, or the body of a node (`config.body`). Documents under edit may be broken:
 * what is no object is left out here, and everything keeps its place in the document.
 */
export interface GraphLevel {
  /** Where the object with `nodes` and `edges` is. */
  at: Segments;
  entry: string | undefined;
  nodes: LevelNode[];
  edges: LevelEdge[];
  byKey: Map<string, LevelNode>;
}

export interface LevelNode {
  /** The id; a second node with the same id, or one without, gets its position added. */
  key: string;
  id: string;
  index: number;
  type: string;
  name: string;
  node: JsonObject;
}

export interface LevelEdge {
  index: number;
  from: string;
  to: string;
  when: string | undefined;
}

/** The ids of the nodes whose bodies lead to a level; empty for the workflow itself. */
export type BodyPath = readonly string[];

const text = (value: unknown) => (typeof value === "string" ? value : "");

export function readLevel(graph: unknown, at: Segments): GraphLevel {
  const object = isObject(graph) ? graph : {};
  const byKey = new Map<string, LevelNode>();
  const nodes: LevelNode[] = [];
  (Array.isArray(object.nodes) ? object.nodes : []).forEach((node: unknown, index) => {
    if (!isObject(node)) return;
    const id = text(node.id);
    const key = id === "" || byKey.has(id) ? `${id}#${index}` : id;
    const read = { key, id, index, type: text(node.type), name: text(node.name) || id || `step ${index + 1}`, node };
    nodes.push(read);
    byKey.set(key, read);
  });
  const edges = (Array.isArray(object.edges) ? object.edges : []).flatMap((edge: unknown, index) =>
    isObject(edge) ? [{ index, from: text(edge.from), to: text(edge.to), when: typeof edge.when === "string" ? edge.when : undefined }] : [],
  );
  return { at, entry: typeof object.entry === "string" ? object.entry : undefined, nodes, edges, byKey };
}

const levels = new WeakMap<JsonObject, Map<string, GraphLevel>>();

/** The level under a path, or as far as the path leads. A document is read once for each. */
export function levelAt(document: JsonObject, path: BodyPath): GraphLevel {
  const known = levels.get(document) ?? new Map<string, GraphLevel>();
  levels.set(document, known);
  const name = JSON.stringify(path);
  let level = known.get(name);
  if (!level) {
    if (path.length === 0) level = readLevel(document, []);
    else {
      const outer = levelAt(document, path.slice(0, -1));
      const holder = outer.byKey.get(path.at(-1) ?? "");
      const body = holder && bodyOf(holder.node);
      level = body ? readLevel(body, [...nodeAt(outer, holder), "config", "body"]) : outer;
    }
    known.set(name, level);
  }
  return level;
}

/** The graph inside a node, if its kind has one. */
export function bodyOf(node: JsonObject): JsonObject | undefined {
  const body = isObject(node.config) ? node.config.body : undefined;
  return isObject(body) ? body : undefined;
}

export const nodeAt = (level: GraphLevel, node: LevelNode): Segments => [...level.at, "nodes", node.index];
export const nodePointer = (level: GraphLevel, node: LevelNode): string => toPointer(nodeAt(level, node));
export const edgePointer = (level: GraphLevel, edge: LevelEdge): string => toPointer([...level.at, "edges", edge.index]);

const NO_EDGES: readonly LevelEdge[] = [];
const linked = new WeakMap<GraphLevel, { from: Map<string, LevelEdge[]>; to: Map<string, LevelEdge[]> }>();

/** The edges of a level by their ends, sorted once. */
function links(level: GraphLevel) {
  let known = linked.get(level);
  if (!known) {
    known = { from: new Map(), to: new Map() };
    for (const edge of level.edges) {
      for (const [ends, id] of [[known.from, edge.from], [known.to, edge.to]] as const) {
        const list = ends.get(id);
        if (list) list.push(edge);
        else ends.set(id, [edge]);
      }
    }
    linked.set(level, known);
  }
  return known;
}

export const outgoing = (level: GraphLevel, id: string): readonly LevelEdge[] => links(level).from.get(id) ?? NO_EDGES;
export const incoming = (level: GraphLevel, id: string): readonly LevelEdge[] => links(level).to.get(id) ?? NO_EDGES;

/** Which node a pointer leads into, and through which bodies. */
export function locate(document: JsonObject, segments: Segments): { path: string[]; key?: string; edge?: number } {
  const path: string[] = [];
  let level = levelAt(document, path);
  let rest = segments;
  for (;;) {
    const index = Number(rest[1]);
    if (rest[0] === "edges" && rest.length > 1) return { path, edge: index };
    const node = rest[0] === "nodes" ? level.nodes.find((each) => each.index === index) : undefined;
    if (!node) return { path };
    const inBody = rest[2] === "config" && rest[3] === "body" && (rest[4] === "nodes" || rest[4] === "edges") && bodyOf(node.node);
    if (!inBody || rest.length < 6) return { path, key: node.key };
    path.push(node.key);
    level = levelAt(document, path);
    rest = rest.slice(4);
  }
}

/** Ids of every node that a path of edges leads from to this one, nearest first. */
export function upstreamOf(level: GraphLevel, id: string): string[] {
  const seen = new Set([id]);
  for (const next of seen) for (const { from } of incoming(level, next)) seen.add(from);
  seen.delete(id);
  return [...seen].filter((each) => level.byKey.has(each));
}

/** Why an edge cannot be drawn; `null` if it can. The server checks the same when it is saved. */
export const refusal = (level: GraphLevel, from: string, to: string): string | null => refusals(level, from)(to);

/** The same for many edges from one node: what leads there is looked for once. */
export function refusals(level: GraphLevel, from: string): (to: string) => string | null {
  // The next step on the shortest way from each node to `from`.
  const next = new Map<string, string | null>([[from, null]]);
  for (const [at] of next) for (const edge of incoming(level, at)) if (!next.has(edge.from)) next.set(edge.from, at);
  const followers = new Set(outgoing(level, from).map((edge) => edge.to));
  return (to) => {
    if (from === to) return `“${from}” cannot follow itself: a workflow has no cycles.`;
    if (followers.has(to)) return `“${from}” leads to “${to}” already.`;
    if (!next.has(to)) return null;
    const way: string[] = [];
    for (let step: string | null | undefined = to; step != null && way.length <= SHOWN; step = next.get(step)) way.push(step);
    const cut = way.length > SHOWN;
    return `This would be a cycle: ${(cut ? [...way.slice(0, SHOWN - 2), "…", from, to] : [...way, to]).join(" → ")}.`;
  };
}

/** As many steps of a way are named. */
const SHOWN = 12;

/**
 * The part of a level around a node: whatever is nearest, whichever way the edges go, within a budget. Where the whole level
 * is within it, the level itself.
 */
export function around(level: GraphLevel, key: string | undefined, most: { nodes: number; edges: number }): GraphLevel {
  if (level.nodes.length <= most.nodes && level.edges.length <= most.edges) return level;
  const start = level.byKey.get(key ?? "") ?? level.nodes[0];
  const near = new Set<string>(start ? [start.id] : []);
  for (const id of near) {
    for (const edge of outgoing(level, id)) if (near.size < most.nodes && level.byKey.has(edge.to)) near.add(edge.to);
    for (const edge of incoming(level, id)) if (near.size < most.nodes && level.byKey.has(edge.from)) near.add(edge.from);
  }
  const nodes = level.nodes.filter((node) => near.has(node.id)).slice(0, most.nodes);
  const edges = level.edges.filter((edge) => near.has(edge.from) && near.has(edge.to)).slice(0, most.edges);
  return { ...level, nodes, edges, byKey: new Map(nodes.map((node) => [node.key, node])) };
}

/** The nodes in an order in which they can run, ties as in the document; those of a cycle come last. */
export function inOrder(level: GraphLevel): LevelNode[] {
  const open = new Map(level.nodes.map((node) => [node.key, 0]));
  for (const { from, to } of level.edges) if (open.has(from) && open.has(to)) open.set(to, (open.get(to) ?? 0) + 1);
  const ordered: LevelNode[] = [];
  // Depth first, so that a branch stands together.
  const ready = level.nodes.filter((node) => open.get(node.key) === 0).reverse();
  const done = new Set<string>();
  for (let node = ready.pop(); node; node = ready.pop()) {
    ordered.push(node);
    done.add(node.key);
    for (const { to } of outgoing(level, node.key).toReversed()) {
      if (!open.has(to)) continue;
      const left = (open.get(to) ?? 0) - 1;
      open.set(to, left);
      const follower = level.byKey.get(to);
      if (left === 0 && follower) ready.push(follower);
    }
  }
  return [...ordered, ...level.nodes.filter((node) => !done.has(node.key))];
}

/** A path as far as it leads somewhere in this document. */
export function existingPath(document: JsonObject, path: BodyPath): BodyPath {
  for (let depth = 0; depth < path.length; depth++) {
    const holder = levelAt(document, path.slice(0, depth)).byKey.get(path[depth] ?? "");
    if (!holder || !bodyOf(holder.node)) return path.slice(0, depth);
  }
  return path;
}
