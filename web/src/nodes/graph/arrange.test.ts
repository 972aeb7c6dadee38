import { describe, expect, it } from "vitest";
import { arrange } from "./arrange";
import { NODE_HEIGHT, NODE_WIDTH, type Structure } from "./shape";

const ids = (count: number) => Array.from({ length: count }, (_, index) => `n${index}`);
const edge = (from: number, to: number): Structure["edges"][number] => [`n${from}`, `n${to}`, false];
const chain = (count: number): Structure => ({ nodes: ids(count), edges: ids(count - 1).map((_, index) => edge(index, index + 1)) });
const fan = (count: number): Structure => ({ nodes: ids(count), edges: ids(count - 1).map((_, index) => edge(0, index + 1)) });

/** Pairs of nodes that stand on one another, by sorting instead of comparing each with each. */
function overlapping(structure: Structure): number {
  const places = arrange(structure).places.map(([, place]) => place).sort((a, b) => a.y - b.y);
  let found = 0;
  places.forEach((place, at) => {
    for (let next = at + 1; next < places.length; next++) {
      const other = places[next];
      if (!other || other.y - place.y >= NODE_HEIGHT) break;
      if (Math.abs(other.x - place.x) < NODE_WIDTH) found += 1;
    }
  });
  return found;
}

it("goes down where that fits, and to the right where siblings are many", () => {
  expect(arrange(chain(5)).direction).toBe("down");
  expect(arrange(fan(50)).direction).toBe("right");
  expect(overlapping(fan(50))).toBe(0);
});

it("survives edges to nowhere, to itself, twice, and documents without nodes", () => {
  expect(arrange({ nodes: ids(2), edges: [["n0", "gone", true], edge(0, 0), edge(0, 1), edge(0, 1)] }).places).toHaveLength(2);
  expect(arrange({ nodes: [], edges: [] }).places).toEqual([]);
});

it("leaves room for a rule in front of a node", () => {
  const y = (ruled: boolean) => new Map(arrange({ nodes: ids(2), edges: [["n0", "n1", ruled]] }).places).get("n1")?.y ?? 0;
  expect(y(true) - y(false)).toBeGreaterThanOrEqual(18);
});

describe("graphs that are too large for dagre", () => {
  const mesh = (count: number): Structure => ({
    nodes: ids(count),
    edges: ids(count).flatMap((_, index) => (index < 20 ? [] : [edge(index - 20, index), ...(index % 3 === 0 && index % 20 < 19 ? [edge(index - 19, index)] : [])])),
  });
  it.each([
    ["a chain", chain(5_000)],
    ["a fan", fan(2_000)],
    ["a mesh", mesh(2_000)],
    ["no edges", { nodes: ids(1_000), edges: [] }],
  ])("%s: every node has a place of its own, below or right of what leads to it", (_name, structure) => {
    const { direction, places } = arrange(structure);
    expect(places).toHaveLength(structure.nodes.length);
    expect(overlapping(structure)).toBe(0);
    const at = new Map(places);
    const along = direction === "down" ? "y" : "x";
    for (const [from, to] of structure.edges) expect(at.get(from)?.[along] ?? 0, `${from} → ${to}`).toBeLessThan(at.get(to)?.[along] ?? 0);
  });

  it("a cycle under edit ends, and no two nodes share a place", () => {
    const ring = chain(400);
    const structure = { ...ring, edges: [...ring.edges, edge(399, 0), edge(200, 100)] };
    expect(arrange(structure).places).toHaveLength(400);
    expect(overlapping(structure)).toBe(0);
  });
});
