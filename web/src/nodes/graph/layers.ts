import { NODE_HEIGHT, NODE_WIDTH, type Direction, type Place, type Structure } from "./shape";

/** Sweeps over the layers that bring neighbours together, and then the room between them. */
const SWEEPS = 4;

/**
 * Places in layers for graphs that are too large for dagre: nothing here is slower than edges times sweeps, and nothing
 * recurses. Edges over several layers are not led around what stands between.
 */
export function layers({ nodes, edges }: Structure, direction: Direction, gap: { beside: number; between: number }): Map<string, Place> {
  const index = new Map(nodes.map((key, at) => [key, at]));
  const into = nodes.map((): number[] => []);
  const out = nodes.map((): number[] => []);
  for (const [from, to] of edges) {
    const [a, b] = [index.get(from), index.get(to)];
    if (a === undefined || b === undefined || a === b) continue;
    out[a]?.push(b);
    into[b]?.push(a);
  }
  const rows = ranked(into, out);
  order(rows, into, out);
  const at = across(rows, into, out, (direction === "down" ? NODE_WIDTH : NODE_HEIGHT) + gap.beside);
  const along = (direction === "down" ? NODE_HEIGHT : NODE_WIDTH) + gap.between;
  const places = new Map<string, Place>();
  rows.forEach((row, rank) => {
    for (const node of row) {
      const [key, place] = [nodes[node] ?? "", Math.round(at[node] ?? 0)];
      places.set(key, direction === "down" ? { x: place, y: rank * along } : { x: rank * along, y: place });
    }
  });
  return places;
}

/** Each node one row below the lowest that leads to it. A document under edit may hold cycles: one is cut where it is first met. */
function ranked(into: number[][], out: number[][]): number[][] {
  const left = into.map((from) => from.length);
  const rank = into.map(() => 0);
  const queued = left.map((count) => count === 0);
  const ready = left.flatMap((count, node) => (count === 0 ? [node] : []));
  let next = 0;
  for (let taken = 0; taken < into.length; taken++) {
    if (taken === ready.length) {
      while (queued[next]) next++;
      queued[next] = true;
      ready.push(next);
    }
    const node = ready[taken] ?? 0;
    for (const to of out[node] ?? []) {
      // Where a cycle was cut, it stays where it is.
      if (queued[to]) continue;
      rank[to] = Math.max(rank[to] ?? 0, (rank[node] ?? 0) + 1);
      left[to] = (left[to] ?? 0) - 1;
      if (left[to] === 0) {
        queued[to] = true;
        ready.push(to);
      }
    }
  }
  const rows: number[][] = [];
  rank.forEach((row, node) => (rows[row] ??= []).push(node));
  return rows.map((row) => row ?? []);
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Within its row each node goes to the middle of its neighbours in the rows before, then in those after, and so on. */
function order(rows: number[][], into: number[][], out: number[][]): void {
  const position = into.map(() => 0);
  const number = (row: readonly number[]) => row.forEach((node, at) => (position[node] = at / Math.max(1, row.length - 1)));
  rows.forEach(number);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const towards = sweep % 2 === 0 ? into : out;
    for (const row of sweep % 2 === 0 ? rows : rows.toReversed()) {
      const wanted = new Map(row.map((node) => [node, (towards[node]?.length ?? 0) > 0 ? mean((towards[node] ?? []).map((each) => position[each] ?? 0)) : (position[node] ?? 0)]));
      row.sort((a, b) => (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0));
      number(row);
    }
  }
}

/** Where each node stands across: as near to the middle of its neighbours as those beside it allow. */
function across(rows: readonly number[][], into: number[][], out: number[][], apart: number): number[] {
  const at = into.map(() => 0);
  for (const row of rows) row.forEach((node, place) => (at[node] = (place - (row.length - 1) / 2) * apart));
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const row of sweep % 2 === 0 ? rows : rows.toReversed()) {
      const wanted = row.map((node) => {
        const near = [...(into[node] ?? []), ...(out[node] ?? [])];
        return near.length > 0 ? mean(near.map((each) => at[each] ?? 0)) : (at[node] ?? 0);
      });
      let end = -Infinity;
      const placed = wanted.map((want) => (end = Math.max(want, end + apart)));
      // Pushed apart to one side only: half of it goes back.
      const off = placed.length > 0 ? mean(placed.map((place, each) => place - (wanted[each] ?? 0))) : 0;
      row.forEach((node, each) => (at[node] = (placed[each] ?? 0) - off));
    }
  }
  return at;
}
