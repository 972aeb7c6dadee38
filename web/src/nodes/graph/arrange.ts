import { graphlib, layout } from "@dagrejs/dagre";
import { layers } from "./layers";
import { NODE_HEIGHT, NODE_WIDTH, type Arranged, type Direction, type Place, type Structure } from "./shape";

/** Layers wider than this many times their height are turned, so that siblings stand below each other like a list. */
const WIDEST = 3;
/** dagre takes seconds from here on, minutes soon after, and overflows the stack on a long chain. */
const DAGRE_NODES = 300;
const DAGRE_EDGES = 900;

/** Places in layers. */
export function arrange(structure: Structure): Arranged {
  return attempt(structure, "down") ?? attempt(structure, "right") ?? { direction: "right", places: [] };
}

/** Room for the rules that are written in front of a node, one below the other. */
function gaps(edges: Structure["edges"], direction: Direction): { beside: number; between: number } {
  const ruled = new Map<string, number>();
  for (const [, to, rule] of edges) if (rule) ruled.set(to, (ruled.get(to) ?? 0) + 1);
  const most = Math.min(3, Math.max(0, ...ruled.values()));
  return direction === "down" ? { beside: 32, between: 48 + 18 * most } : { beside: 16, between: 48 + (most > 0 ? 120 : 0) };
}

/** `null` for layers that should rather be turned. */
function attempt(structure: Structure, direction: Direction): Arranged | null {
  const { nodes, edges } = structure;
  const gap = gaps(edges, direction);
  const small = nodes.length <= DAGRE_NODES && edges.length <= DAGRE_EDGES;
  const places = small ? dagre(structure, direction, gap) : layers(structure, direction, gap);
  if (direction === "down" && nodes.length > 8 && isWide(places)) return null;
  const across = direction === "down" ? "x" : "y";
  if (mirrored(edges, places, across)) for (const [key, place] of places) places.set(key, { ...place, [across]: -place[across] || 0 });
  return { direction, places: [...places] };
}

function dagre({ nodes, edges }: Structure, direction: Direction, gap: { beside: number; between: number }): Map<string, Place> {
  const graph = new graphlib.Graph();
  graph.setGraph({ rankdir: direction === "down" ? "TB" : "LR", nodesep: gap.beside, ranksep: gap.between, marginx: 0, marginy: 0 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const key of nodes) graph.setNode(key, { width: NODE_WIDTH, height: NODE_HEIGHT });
  for (const [from, to] of edges) if (graph.hasNode(from) && graph.hasNode(to) && from !== to) graph.setEdge(from, to);
  layout(graph);
  return new Map(
    nodes.map((key): [string, Place] => {
      const { x, y } = graph.node(key);
      return [key, { x: Math.round(x - NODE_WIDTH / 2), y: Math.round(y - NODE_HEIGHT / 2) }];
    }),
  );
}

function isWide(places: ReadonlyMap<string, Place>): boolean {
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const { x, y } of places.values()) [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
  return right - left + NODE_WIDTH > WIDEST * (bottom - top + NODE_HEIGHT);
}

/** Whether more siblings stand against their order in the document than with it. To the layout both are the same. */
function mirrored(edges: Structure["edges"], places: ReadonlyMap<string, Place>, across: "x" | "y"): boolean {
  const before = new Map<string, Place>();
  let against = 0;
  for (const [from, to] of edges) {
    const [place, last] = [places.get(to), before.get(from)];
    if (!place) continue;
    if (last) against += Math.sign(last[across] - place[across]);
    before.set(from, place);
  }
  return against > 0;
}
