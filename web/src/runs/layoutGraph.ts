import type { Graph } from "@/api/types";
import { graphlib, layout } from "@dagrejs/dagre";

export const NODE_WIDTH = 210;
export const NODE_HEIGHT = 46;

/** More than this cannot be read as a drawing, and laying it out would stop the page for seconds. */
export const MOST_NODES = 500;
export const MOST_EDGES = 1_500;

/** Layers wider than this many times their height are turned, so that siblings stand below each other like a list. */
const WIDEST = 3;

export interface Layout {
  direction: "down" | "right";
  places: Map<string, { x: number; y: number }>;
}

const known = new WeakMap<object, Layout>();

/** Places for the nodes of a document, in layers. `key` is the document as it came: the same one is laid out once. */
export function layoutGraph(document: Graph, key: unknown): Layout {
  const memo = typeof key === "object" && key !== null ? key : document;
  let result = known.get(memo);
  if (!result) {
    result = arrange(document, "down") ?? arrange(document, "right") ?? { direction: "right", places: new Map() };
    known.set(memo, result);
  }
  return result;
}

/** `null` for layers that should rather be turned. */
function arrange(document: Graph, direction: Layout["direction"]): Layout | null {
  const graph = new graphlib.Graph();
  graph.setGraph({ rankdir: direction === "down" ? "TB" : "LR", nodesep: direction === "down" ? 36 : 16, ranksep: 60, marginx: 8, marginy: 8 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of document.nodes) graph.setNode(node.id, { width: NODE_WIDTH, height: NODE_HEIGHT });
  for (const edge of document.edges) if (graph.hasNode(edge.from) && graph.hasNode(edge.to)) graph.setEdge(edge.from, edge.to);
  layout(graph);
  const { width = 0, height = 1 } = graph.graph();
  if (direction === "down" && document.nodes.length > 8 && width > WIDEST * height) return null;
  const places = new Map(
    document.nodes.map((node) => {
      const place = graph.node(node.id);
      return [node.id, { x: place.x - NODE_WIDTH / 2, y: place.y - NODE_HEIGHT / 2 }] as const;
    }),
  );
  return { direction, places };
}
