import { graphlib, layout } from "@dagrejs/dagre";
import type { Place } from "./edits";

export const NODE_WIDTH = 200;
export const NODE_HEIGHT = 48;

export interface Structure {
  nodes: string[];
  edges: [string, string][];
}

export type Direction = "down" | "right";

export interface Arranged {
  direction: Direction;
  places: [string, Place][];
}

/** Layers wider than this many times their height are turned, so that siblings stand below each other like a list. */
const WIDEST = 3;

/** Places in layers. */
export function arrange(structure: Structure): Arranged {
  return attempt(structure, "down") ?? attempt(structure, "right") ?? { direction: "right", places: [] };
}

function attempt({ nodes, edges }: Structure, direction: Direction): Arranged | null {
  const graph = new graphlib.Graph();
  graph.setGraph({ rankdir: direction === "down" ? "TB" : "LR", nodesep: direction === "down" ? 32 : 16, ranksep: 48, marginx: 0, marginy: 0 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const key of nodes) graph.setNode(key, { width: NODE_WIDTH, height: NODE_HEIGHT });
  for (const [from, to] of edges) if (graph.hasNode(from) && graph.hasNode(to) && from !== to) graph.setEdge(from, to);
  layout(graph);
  const { width = 0, height = 1 } = graph.graph();
  if (direction === "down" && nodes.length > 8 && width > WIDEST * height) return null;
  const places = new Map(
    nodes.map((key): [string, Place] => {
      const { x, y } = graph.node(key);
      return [key, { x: Math.round(x - NODE_WIDTH / 2), y: Math.round(y - NODE_HEIGHT / 2) }];
    }),
  );
  const across = direction === "down" ? "x" : "y";
  if (mirrored(edges, places, across)) for (const [key, place] of places) places.set(key, { ...place, [across]: -place[across] || 0 });
  return { direction, places: [...places] };
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
