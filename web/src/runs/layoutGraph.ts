import type { Graph } from "@/api/types";
import { graphlib, layout } from "@dagrejs/dagre";
import { NODE_HEIGHT, NODE_WIDTH, type Layout } from "./graphSize";

/** Layers wider than this many times their height are turned, so that siblings stand below each other like a list. */
const WIDEST = 3;

/** Places for the nodes of a document, in layers. */
export function layoutGraph(document: Graph): Layout {
  return arrange(document, "down") ?? arrange(document, "right") ?? { direction: "right", places: new Map() };
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
