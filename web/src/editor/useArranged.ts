import { useEffect, useMemo, useState } from "react";
import type { GraphLevel } from "./graph";
import type { Arranged, Structure } from "./layout";
import { isPlaced, NODE_HEIGHT } from "./places";

let worker: Worker | undefined;
let turn = 0;
const waiting = new Map<number, (arranged: Arranged) => void>();

/** Lays a graph out, not on this thread. Where no worker can be had, its steps stand below each other. */
function arrangeAside(structure: Structure, done: (arranged: Arranged) => void): () => void {
  const mine = ++turn;
  waiting.set(mine, done);
  const inRow = () => done({ direction: "down", places: structure.nodes.map((key, index) => [key, { x: 0, y: index * (NODE_HEIGHT + 32) }]) });
  try {
    if (!worker) {
      worker = new Worker(new URL("./layout.worker.ts", import.meta.url), { type: "module" });
      worker.onmessage = ({ data }: MessageEvent<{ turn: number; arranged: Arranged }>) => {
        waiting.get(data.turn)?.(data.arranged);
        waiting.delete(data.turn);
      };
    }
    worker.onerror = inRow;
    worker.postMessage({ turn: mine, structure });
  } catch {
    inRow();
  }
  return () => waiting.delete(mine);
}

/** The layout of a level that nobody has placed; the last one as long as the next is made. */
export function useArranged(level: GraphLevel, enabled: boolean): Arranged | null {
  const key = useMemo(() => {
    if (!enabled || isPlaced(level)) return null;
    const nodes = level.nodes.map((node) => node.key);
    return JSON.stringify({ nodes, edges: level.edges.map(({ from, to }) => [from, to]) });
  }, [level, enabled]);
  const place = JSON.stringify(level.at);
  const [known, setKnown] = useState<{ place: string; arranged: Arranged } | null>(null);
  useEffect(() => {
    if (key === null) return;
    return arrangeAside(JSON.parse(key) as Structure, (arranged) => setKnown({ place, arranged })) as () => void;
  }, [key, place]);
  return known?.place === place ? known.arranged : null;
}
