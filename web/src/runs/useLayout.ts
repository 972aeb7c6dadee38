import type { Graph } from "@/api/types";
import { useEffect, useState } from "react";
import type { Layout } from "./graphSize";

/** What was laid out, by the document as it came: the same one is laid out once. */
const known = new WeakMap<Graph, Layout>();

export type LayoutState = { layout: Layout } | { error: string } | undefined;

/** Places for the nodes of a graph, made beside the page; `undefined` until they are there. */
export function useLayout(graph: Graph | undefined): LayoutState {
  const [made, setMade] = useState<{ of: Graph; state: LayoutState }>();
  useEffect(() => {
    if (!graph || known.has(graph)) return;
    const worker = new Worker(new URL("./layout.worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<Layout>) => {
      known.set(graph, data);
      setMade({ of: graph, state: { layout: data } });
      worker.terminate();
    };
    worker.onerror = (event) => setMade({ of: graph, state: { error: event.message || "The drawing could not be made." } });
    // Only what the layout needs: documents may hold megabytes of prompts.
    worker.postMessage({ nodes: graph.nodes.map(({ id, type }) => ({ id, type })), edges: graph.edges.map(({ from, to }) => ({ from, to })) });
    return () => worker.terminate();
  }, [graph]);
  if (!graph) return undefined;
  const layout = known.get(graph);
  return layout ? { layout } : made?.of === graph ? made.state : undefined;
}
