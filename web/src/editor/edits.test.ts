import { describe, expect, it } from "vitest";
import { addNode, connect, copyNodes, disconnect, idsIn, moveNodes, newId, pasteNodes, placeOf, readClip, removeNodes, renameNode, tidy, type Doc } from "./edits";
import { getIn } from "./pointer";

const chain = (): Doc => ({
  version: "1",
  entry: "a",
  nodes: [
    { id: "a", type: "tool", config: { tool: "echo" } },
    { id: "b", type: "llm", config: { prompt: "Say {{node.a.output}} and node.a, {{ node.ab.output }}" } },
    { id: "c", type: "router", config: { rule: "node.b.output == 'node.a'" }, inputs: { x: "{{node['b'].output}}" } },
  ],
  edges: [
    { from: "a", to: "b", ui: { kept: true } },
    { from: "b", to: "c", when: "node.a.output != ''" },
  ],
  later: { unknown: [1, 2] },
});

describe("adding", () => {
  it("puts a step behind another one, and the first one starts the graph", () => {
    const next = addNode(chain(), [], { id: "d", type: "llm" }, "c");
    expect(getIn(next, ["nodes", 3, "id"])).toBe("d");
    expect(getIn(next, ["edges", 2])).toEqual({ from: "c", to: "d" });
    expect(next.entry).toBe("a");
    expect(addNode({ version: "1", entry: "", nodes: [] }, [], { id: "first" })).toMatchObject({ entry: "first", nodes: [{ id: "first" }] });
    expect(next.later).toEqual({ unknown: [1, 2] });
  });

  it("finds ids that are free and that the language allows", () => {
    const taken = idsIn(chain());
    expect(["a", "my-tool 1", "1st", "", "loop"].map((wanted) => newId(taken, wanted))).toEqual(["a_2", "my_tool_1", "_1st", "step", "loop_2"]);
  });

  it("reaches into bodies", () => {
    const nested: Doc = { entry: "m", nodes: [{ id: "m", type: "map", config: { items: [1], body: { entry: "x", nodes: [{ id: "x", type: "tool" }], edges: [] } } }], edges: [] };
    const next = addNode(nested, ["m"], { id: "y", type: "llm" }, "x");
    expect(getIn(next, ["nodes", 0, "config", "body", "edges"])).toEqual([{ from: "x", to: "y" }]);
    expect(getIn(next, ["nodes", 0, "config", "items"])).toEqual([1]);
    expect(getIn(removeNodes(next, ["m"], ["x"]), ["nodes", 0, "config", "body"])).toEqual({ entry: "y", nodes: [{ id: "y", type: "llm" }], edges: [] });
  });
});

describe("taking away", () => {
  it("takes the edges along, and the entry goes on to what followed", () => {
    const next = removeNodes(chain(), [], ["a"]);
    expect(next).toMatchObject({ entry: "b", nodes: [{ id: "b" }, { id: "c" }], edges: [{ from: "b", to: "c" }] });
    expect(removeNodes(chain(), [], ["a", "b", "c"])).toMatchObject({ entry: "", nodes: [], edges: [] });
  });

  it("takes one of two steps with the same id, and leaves the edges to the other", () => {
    const doubled = { ...chain(), nodes: [...(chain().nodes as Doc[]), { id: "b", type: "tool" }] };
    const next = removeNodes(doubled, [], ["b#3"]);
    expect(next.nodes).toHaveLength(3);
    expect(next.edges).toHaveLength(2);
  });

  it("connects and disconnects", () => {
    expect(disconnect(connect(chain(), [], "a", "c"), [], 2)).toEqual(chain());
  });
});

describe("renaming", () => {
  it("takes edges, the entry, bindings and rules along, and leaves everything that only looks like it", () => {
    const next = renameNode(chain(), [], "a", "source");
    expect(next.entry).toBe("source");
    expect(getIn(next, ["nodes", 0, "id"])).toBe("source");
    expect(getIn(next, ["nodes", 1, "config", "prompt"])).toBe("Say {{node.source.output}} and node.a, {{ node.ab.output }}");
    expect(getIn(next, ["edges"])).toEqual([
      { from: "source", to: "b", ui: { kept: true } },
      { from: "b", to: "c", when: "node.source.output != ''" },
    ]);
    const again = renameNode(next, [], "b", "reply");
    expect(getIn(again, ["nodes", 2, "inputs", "x"])).toBe("{{node.reply.output}}");
    expect(getIn(again, ["nodes", 2, "config", "rule"])).toContain("node.reply.output ==");
  });

  it("leaves the others alone where two steps have the id", () => {
    const doubled = { ...chain(), nodes: [...(chain().nodes as Doc[]), { id: "a", type: "tool" }] };
    const next = renameNode(doubled, [], "a#3", "other");
    expect(getIn(next, ["nodes", 3, "id"])).toBe("other");
    expect(next.edges).toEqual(chain().edges);
  });
});

describe("places", () => {
  it("are kept beside whatever else an editor keeps, and tidied away without a trace", () => {
    const start: Doc = { ...chain(), nodes: [{ id: "a", type: "tool", ui: { colour: "red" } }, { id: "b", type: "tool" }] };
    const moved = moveNodes(start, [], new Map([["a", { x: 1.6, y: -2 }], ["b", { x: 0, y: 5 }]]));
    expect(getIn(moved, ["nodes", 0, "ui"])).toEqual({ colour: "red", position: { x: 2, y: -2 } });
    expect(placeOf(getIn(moved, ["nodes", 1]) as Doc)).toEqual({ x: 0, y: 5 });
    expect(tidy(moved, [])).toEqual(start);
    expect(tidy(start, [])).toBe(start);
  });
});

describe("the clipboard", () => {
  it("pastes copies under new ids that read one another and not the originals", () => {
    const clip = copyNodes(chain(), [], ["b", "c"]);
    expect(clip.edges).toHaveLength(1);
    const { document, keys } = pasteNodes(chain(), [], readClip(JSON.stringify(clip)) ?? clip);
    expect(keys).toEqual(["b_2", "c_2"]);
    expect(getIn(document, ["nodes", 4, "inputs", "x"])).toBe("{{node.b_2.output}}");
    // What was not copied is still read where it is.
    expect(getIn(document, ["nodes", 3, "config", "prompt"])).toContain("{{node.a.output}}");
    expect(getIn(document, ["edges", 2])).toEqual({ from: "b_2", to: "c_2", when: "node.a.output != ''" });
  });

  it("does not mix up names where a copy takes the name of another one", () => {
    const clip = { flowtrace: "steps" as const, nodes: [{ id: "a", type: "tool" }, { id: "a_2", type: "llm", config: { prompt: "{{node.a.output}} {{node.a_2.output}}" } }], edges: [] };
    const { document, keys } = pasteNodes({ entry: "a", nodes: [{ id: "a", type: "tool" }], edges: [] }, [], clip);
    expect(keys).toEqual(["a_2", "a_2_2"]);
    expect(getIn(document, ["nodes", 2, "config", "prompt"])).toBe("{{node.a_2.output}} {{node.a_2_2.output}}");
  });

  it("gives the steps in a body new ids too, for ids differ in the whole document", () => {
    const inner = { entry: "x", nodes: [{ id: "x", type: "tool" }, { id: "y", type: "llm", config: { prompt: "{{node.x.output}} {{node.out.output}}" } }], edges: [{ from: "x", to: "y" }] };
    const start: Doc = { entry: "out", nodes: [{ id: "out", type: "tool" }, { id: "m", type: "map", config: { body: inner } }], edges: [] };
    const { document, keys } = pasteNodes(start, [], copyNodes(start, [], ["m"]));
    expect(keys).toEqual(["m_2"]);
    expect(getIn(document, ["nodes", 2, "config", "body"])).toEqual({
      entry: "x_2",
      nodes: [{ id: "x_2", type: "tool" }, { id: "y_2", type: "llm", config: { prompt: "{{node.x_2.output}} {{node.out.output}}" } }],
      edges: [{ from: "x_2", to: "y_2" }],
    });
    expect(getIn(document, ["nodes", 1])).toEqual(getIn(start, ["nodes", 1]));
  });

  it("takes no other text for steps", () => {
    for (const text of ["", "hello", "[]", "{}", '{"flowtrace":"steps"}']) expect(readClip(text)).toBeUndefined();
  });
});
