import type { Graph, GraphEdge, GraphNode } from "./types";

/** A node, and the graph that it stands in: the document's own, or the body of another node. */
export interface Place {
  node: GraphNode;
  level: { nodes: GraphNode[]; edges: GraphEdge[] };
  /** The node whose body it is part of. */
  owner?: GraphNode;
}

const objects = <T>(value: unknown): T[] => (Array.isArray(value) ? value.filter((each): each is T => typeof each === "object" && each !== null) : []);

/** Where the node of this id stands, at any depth. */
export function placeOf(graph: Pick<Graph, "nodes" | "edges">, id: string, owner?: GraphNode): Place | undefined {
  for (const node of graph.nodes) {
    if (node.id === id) return { node, level: graph, owner };
    const body = node.config?.body;
    if (typeof body !== "object" || body === null) continue;
    const { nodes, edges } = body as { nodes?: unknown; edges?: unknown };
    const found = placeOf({ nodes: objects<GraphNode>(nodes), edges: objects<GraphEdge>(edges) }, id, node);
    if (found) return found;
  }
  return undefined;
}
