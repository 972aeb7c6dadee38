import { describe, expect, it } from "vitest";
import { existingPath, inOrder, levelAt, locate, refusal, upstreamOf } from "./graph";
import { fromPointer, getIn, same, setIn, toPointer } from "./pointer";

const document = (edges: [string, string][], ids = ["a", "b", "c", "d"]) => ({ entry: "a", nodes: ids.map((id) => ({ id, type: "tool" })), edges: edges.map(([from, to]) => ({ from, to })) });

describe("edges that are refused", () => {
  const level = levelAt(document([["a", "b"], ["b", "c"]]), []);
  it.each([
    ["a", "a", "cannot follow itself"],
    ["a", "b", "leads to “b” already"],
    ["c", "a", "a → b → c → a"],
    ["b", "a", "a → b → a"],
  ])("%s → %s: %s", (from, to, why) => expect(refusal(level, from, to)).toContain(why));
  it.each([
    ["a", "c"],
    ["c", "d"],
    ["d", "a"],
  ])("%s → %s is fine", (from, to) => expect(refusal(level, from, to)).toBeNull());
  it("prints a long way in short", () => {
    const ids = Array.from({ length: 40 }, (_, index) => `n${index}`);
    const long = levelAt(document(ids.slice(1).map((id, index) => [ids[index] ?? "", id]), ids), []);
    const why = refusal(long, "n39", "n0") ?? "";
    expect(why).toContain("→ … → n39 → n0");
    expect(why.length).toBeLessThan(200);
  });
});

it("reads broken documents without losing count", () => {
  const level = levelAt({ nodes: [null, { id: "a" }, "x", { id: "a", type: 3 }, {}], edges: [1, { from: "a" }] }, []);
  expect(level.nodes.map(({ key, index }) => [key, index])).toEqual([["a", 1], ["a#3", 3], ["#4", 4]]);
  expect(level.edges).toEqual([{ index: 1, from: "a", to: "", when: undefined }]);
  expect(levelAt({}, []).nodes).toEqual([]);
});

it("orders steps as they can run, branches together, cycles last", () => {
  const ids = (edges: [string, string][]) => inOrder(levelAt(document(edges), [])).map((node) => node.key);
  expect(ids([["a", "b"], ["a", "c"], ["b", "d"], ["c", "d"]])).toEqual(["a", "b", "c", "d"]);
  expect(ids([["b", "c"], ["c", "b"], ["a", "d"]])).toEqual(["a", "d", "b", "c"]);
});

it("finds what is upstream, the nearest first", () => {
  expect(upstreamOf(levelAt(document([["a", "b"], ["b", "c"], ["a", "c"], ["c", "d"]]), []), "c")).toEqual(["b", "a"]);
});

const nested = {
  nodes: [{ id: "m", type: "map", config: { body: { entry: "x", nodes: [{ id: "x", type: "loop", config: { body: { nodes: [{ id: "deep" }], edges: [] } } }], edges: [{ from: "x", to: "y" }] } } }],
  edges: [{ from: "m", to: "m" }],
};

describe("pointers", () => {
  it.each([
    ["", { path: [] }],
    ["/limits/maxNodes", { path: [] }],
    ["/nodes/0/config/items", { path: [], key: "m" }],
    ["/edges/0/when", { path: [], edge: 0 }],
    ["/nodes/0/config/body", { path: [], key: "m" }],
    ["/nodes/0/config/body/nodes/0/config/rule", { path: ["m"], key: "x" }],
    ["/nodes/0/config/body/edges/0", { path: ["m"], edge: 0 }],
    ["/nodes/0/config/body/nodes/0/config/body/nodes/0/id", { path: ["m", "x"], key: "deep" }],
    ["/nodes/7/config", { path: [] }],
  ])("%s", (pointer, where) => expect(locate(nested, fromPointer(pointer))).toEqual(where));

  it("go there and back with the characters that need an escape", () => {
    const segments = ["a/b", "~1", "", "0"];
    expect(fromPointer(toPointer(segments))).toEqual(segments);
    expect(existingPath(nested, ["m", "x", "gone"])).toEqual(["m", "x"]);
  });

  it("set, take away and make what is missing", () => {
    const value = { a: [1, { b: 2 }], c: 3 };
    expect(setIn(value, ["a", 1, "b"], 5)).toEqual({ a: [1, { b: 5 }], c: 3 });
    expect(setIn(value, ["a", 0], undefined)).toEqual({ a: [{ b: 2 }], c: 3 });
    expect(setIn(value, ["x", "y"], 1)).toEqual({ ...value, x: { y: 1 } });
    expect(setIn(value, ["x", "y"], undefined)).toBe(value);
    expect(setIn({}, ["__proto__"], 1)).not.toHaveProperty("polluted");
    expect(getIn(value, ["toString"])).toBeUndefined();
    expect(value).toEqual({ a: [1, { b: 2 }], c: 3 });
  });

  it("equality does not look at the order of properties, but at that of lists", () => {
    expect(same({ a: 1, b: [1, 2] }, { b: [1, 2], a: 1 })).toBe(true);
    expect(same([1, 2], [2, 1])).toBe(false);
    expect(same({ a: undefined }, { b: 1 })).toBe(false);
  });
});
