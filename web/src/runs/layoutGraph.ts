import type { Graph } from "@/api/types";
import { graphlib, layout } from "@dagrejs/dagre";

export const NODE_WIDTH = 210;
export const NODE_HEIGHT = 46;

/** More than this cannot be read as a drawing, and laying it out would stop the page for seconds. */
export const MOST_NODES = 500;
export const MOST_EDGES = 1_500;

/** Places for the nodes of a document, in layers from top to bottom. */
export function layoutGraph(document: Graph): Map<string, { x: number; y: number }> {
  const graph = new graphlib.Graph();
  graph.setGraph({ rankdir: "TB", nodesep: 36, ranksep: 60, marginx: 8, marginy: 8 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of document.nodes) graph.setNode(node.id, { width: NODE_WIDTH, height: NODE_HEIGHT });
  for (const edge of document.edges) if (graph.hasNode(edge.from) && graph.hasNode(edge.to)) graph.setEdge(edge.from, edge.to);
  layout(graph);
  return new Map(
    document.nodes.map((node) => {
      const place = graph.node(node.id);
      return [node.id, { x: place.x - NODE_WIDTH / 2, y: place.y - NODE_HEIGHT / 2 }];
    }),
  );
}
