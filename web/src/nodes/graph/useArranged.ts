import { useEffect, useState } from "react";
import { NODE_HEIGHT, type Arranged, type Structure } from "./shape";

let worker: Worker | undefined;
let turn = 0;
const waiting = new Map<number, (arranged: Arranged) => void>();

/** Lays a graph out, not on this thread. Where no worker can be had, its nodes stand below each other. */
function arrangeAside(structure: Structure, done: (arranged: Arranged) => void): () => void {
  const mine = ++turn;
  waiting.set(mine, done);
  const inRow = () => done({ direction: "down", places: structure.nodes.map((key, index) => [key, { x: 0, y: index * (NODE_HEIGHT + 32) }]) });
  try {
    if (!worker) {
      worker = new Worker(new URL("./arrange.worker.ts", import.meta.url), { type: "module" });
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

/**
 * The layout of a graph, given as the JSON of a {@link Structure} so that only another structure is laid out again; `null`
 * needs none. Until it is there, the last one of the same `place` is the answer.
 */
export function useArranged(structure: string | null, place: string): Arranged | null {
  const [known, setKnown] = useState<{ place: string; arranged: Arranged } | null>(null);
  useEffect(() => {
    if (structure === null) return;
    return arrangeAside(JSON.parse(structure) as Structure, (arranged) => setKnown({ place, arranged })) as () => void;
  }, [structure, place]);
  return known?.place === place ? known.arranged : null;
}
