import type { Graph } from "@/api/types";
import { expect, it } from "vitest";
import { layoutGraph } from "./layoutGraph";

const nodes = (count: number) => Array.from({ length: count }, (_, index) => ({ id: `n${index}`, type: "tool" }));

it("goes down where that fits, and to the right where siblings are many", () => {
  const chain: Graph = { nodes: nodes(5), edges: nodes(4).map((_, index) => ({ from: `n${index}`, to: `n${index + 1}` })) };
  expect(layoutGraph(chain).direction).toBe("down");
  const fan: Graph = { nodes: nodes(50), edges: nodes(49).map((_, index) => ({ from: "n0", to: `n${index + 1}` })) };
  const { direction, places } = layoutGraph(fan);
  expect(direction).toBe("right");
  expect(new Set([...places.values()].map(({ x, y }) => `${x},${y}`)).size).toBe(50);
});

it("survives edges to nowhere and documents without nodes", () => {
  const broken: Graph = { nodes: nodes(2), edges: [{ from: "n0", to: "gone" }, { from: "n0", to: "n0" }] };
  expect(layoutGraph(broken).places.size).toBe(2);
  const empty: Graph = { nodes: [], edges: [] };
  expect(layoutGraph(empty).places.size).toBe(0);
});
