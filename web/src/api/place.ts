import type { Graph, GraphEdge, GraphNode } from "./types";

/** A node, and the graph that it stands in: the document's own, or the body of another node. */
export interface Place {
  node: GraphNode;
  level: { nodes: GraphNode[]; edges: GraphEdge[] };
  /** The node whose body it is part of. */
  owner?: GraphNode;
}

const objects = <T>(value: unknown): T[] => (Array.isArray(value) ? value.filter((each): each is T => typeof each === "object" && each !== null) : []);

/** The graph of a node's body; `undefined` if it has none. */
function bodyOf(node: GraphNode): { nodes: GraphNode[]; edges: GraphEdge[] } | undefined {
  const body = node.config?.body;
  if (typeof body !== "object" || body === null) return undefined;
  const { nodes, edges } = body as { nodes?: unknown; edges?: unknown };
  return { nodes: objects<GraphNode>(nodes), edges: objects<GraphEdge>(edges) };
}

/** What stands inside of a node, at any depth. */
export function nodesIn(node: GraphNode): GraphNode[] {
  return (bodyOf(node)?.nodes ?? []).flatMap((each) => [each, ...nodesIn(each)]);
}

/** Where the node of this id stands, at any depth. */
export function placeOf(graph: Pick<Graph, "nodes" | "edges">, id: string, owner?: GraphNode): Place | undefined {
  for (const node of graph.nodes) {
    if (node.id === id) return { node, level: graph, owner };
    const body = bodyOf(node);
    const found = body && placeOf(body, id, node);
    if (found) return found;
  }
  return undefined;
}
