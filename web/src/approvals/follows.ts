import { placeOf } from "@/api/place";
import type { Graph, GraphEdge, GraphNode } from "@/api/types";

export interface Next {
  node: GraphNode;
  /** A condition that cannot be told from here. */
  when?: string;
}

export interface Follows {
  /** The steps right after. */
  next: Next[];
  /** How many more may come after those. */
  later: number;
  /** What else is to be said, in a sentence. */
  note?: string;
}

const BRANCH = /^\s*branch\s*(==|!=)\s*(?:'([^']*)'|"([^"]*)")\s*$/;

/** Whether the edge is taken after this decision; `undefined` if its rule says more than that. */
function taken(edge: GraphEdge, branch: string): boolean | undefined {
  if (edge.when === undefined || edge.when === null) return true;
  const [, operator, single, double] = BRANCH.exec(edge.when) ?? [];
  if (!operator) return undefined;
  return ((single ?? double) === branch) === (operator === "==");
}

/** What follows in the run if a person says yes, or no. */
export function follows(graph: Graph, nodeId: string, decision: "approved" | "rejected", interrupted: boolean): Follows {
  const place = placeOf(graph, nodeId);
  if (!place) return { next: [], later: 0, note: "The document of the run does not say what follows." };
  const { node, level, owner } = place;
  const out = level.edges.filter((edge) => edge.from === nodeId);
  const onError = out.filter((edge) => edge.on === "error");
  const decides = out.some((edge) => edge.when != null && edge.on !== "error");
  const name = (each: GraphNode) => each.name || each.id;

  const fails = decision === "rejected" && (interrupted || !decides);
  const edges = fails ? onError : out.filter((edge) => edge.on !== "error");
  const nodes = new Map(level.nodes.map((each) => [each.id, each]));
  const next = edges.flatMap((edge): Next[] => {
    // After an interrupted call the edges ask about its result, not about the decision.
    const take = fails ? true : interrupted && edge.when != null ? undefined : taken(edge, decision);
    const target = nodes.get(edge.to);
    return take === false || !target ? [] : [{ node: target, when: take === undefined ? edge.when : undefined }];
  });
  const reached = new Set(next.map((each) => each.node.id));
  const queue = [...reached];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    for (const edge of level.edges) {
      if (edge.from !== id || reached.has(edge.to) || !nodes.has(edge.to)) continue;
      reached.add(edge.to);
      queue.push(edge.to);
    }
  }
  const later = reached.size - next.length;
  if (fails && next.length === 0) {
    const goesOn = node.onError !== undefined && node.onError !== null;
    return { next, later, note: goesOn ? "The step fails, and the run goes on with the value that the workflow gives for that." : failing(owner && name(owner)) };
  }
  if (fails) return { next, later, note: "The step fails, and its failure is handled:" };
  if (next.length === 0) return { next, later, note: owner ? `This part of “${name(owner)}” is done, and “${name(owner)}” goes on.` : "Nothing more: the run is done with this branch." };
  return { next, later };
}

const failing = (owner: string | undefined) => (owner ? `The step fails, and “${owner}” deals with that.` : "The step fails, and the run with it.");

/** What happens when nobody answers in time. */
export function onTimeout(graph: Graph, nodeId: string): string {
  const answer = placeOf(graph, nodeId)?.node.config?.onTimeout;
  return answer === "approve" ? "then it counts as approved" : answer === "reject" ? "then it counts as rejected" : "then the step fails";
}
