import { describe, expect, it } from "vitest";
import { completed, completionAt, matching, pieces, readable } from "./suggest";

const document = {
  entry: "fetch",
  nodes: [
    { id: "fetch", type: "tool", config: { url: "{{input.url}}" } },
    { id: "sum", type: "llm", name: "Summarize", config: { schema: { properties: { title: {}, "no name": {} } } }, inputs: { text: "x" } },
    { id: "pick", type: "router", config: { rule: "input.mode == 'deep'" }, inputs: { text: "" } },
    { id: "each", type: "map", config: { body: { nodes: [{ id: "inner", type: "llm" }], edges: [] } } },
    { id: "aside", type: "tool" },
  ],
  edges: [{ from: "fetch", to: "sum" }, { from: "sum", to: "pick" }, { from: "pick", to: "each" }],
};
const texts = (...args: [string[], string, "inputs" | "config" | "when"]) => readable(document, ...args).suggestions.map(({ text }) => text);

describe("what can be read", () => {
  it("is what is upstream, the nearest first, and never what is aside", () => {
    const all = texts([], "pick", "config");
    expect(all).toEqual(["text", "node.sum.output", "node.sum.output.title", "node.fetch.output", "input.url", "input.mode", "input"]);
    expect(readable(document, [], "pick", "config").nodes).toEqual(new Set(["sum", "fetch"]));
  });
  it("of a tool are the fields of its output schema, inner ones too", () => {
    const tools = new Map([["http", { properties: { status: { type: "integer" }, headers: { type: "object", properties: { etag: {}, "content-type": {} } }, json: true } }]]);
    const found = readable(document, [], "sum", "inputs", tools).suggestions;
    expect(found.map(({ text }) => text).slice(0, 5)).toEqual(["node.fetch.output", "node.fetch.output.status", "node.fetch.output.headers", "node.fetch.output.headers.etag", "node.fetch.output.json"]);
    expect(found[1]?.note).toContain("integer");
  });
  it("a schema that goes on and on is cut", () => {
    const wide = { properties: Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`f${index}`, {}])) };
    expect(readable(document, [], "sum", "inputs", new Map([["http", wide]])).suggestions.length).toBeLessThan(100);
  });
  it("inputs do not read other inputs", () => expect(texts([], "sum", "inputs")[0]).toBe("node.fetch.output"));
  it("the condition of an edge reads the step that it leaves, and a router's decision", () => {
    expect(texts([], "pick", "when").slice(0, 3)).toEqual(["branch", "text", "node.pick.branch"]);
  });
  it("a body reads what is upstream of the step that it is in", () => {
    expect(texts(["each"], "inner", "config")).toEqual(expect.arrayContaining(["node.sum.output", "each.item"]));
    expect(texts(["each"], "inner", "config")).not.toContain("node.aside.output");
  });
});

describe("completion", () => {
  const at = (text: string, expression = false) => completionAt(text.replace("|", ""), text.indexOf("|"), expression);
  it.each([
    ["Hello {{|", ""],
    ["Hello {{ node.fe|", "node.fe"],
    ["{{a}} {{in|}}", "in"],
    ["{% if node.|", "node."],
  ])("in a template: %s", (text, typed) => expect(at(text)?.typed).toBe(typed));
  it.each(["Hello no|", "{{a}} no|", "{ {no|"])("not outside of braces: %s", (text) => expect(at(text)).toBeNull());
  it("in an expression everywhere but in quotes", () => {
    expect(at("len(te|", true)?.typed).toBe("te");
    expect(at("branch == 'de|", true)).toBeNull();
  });
  it("closes braces where nobody has", () => {
    const put = (text: string) => {
      const caret = text.indexOf("|");
      const plain = text.replace("|", "");
      const here = completionAt(plain, caret, false);
      if (!here) throw new Error(`nothing can stand at ${text}`);
      const next = completed(plain, caret, here, "node.a.output", false);
      return `${next.text.slice(0, next.caret)}|${next.text.slice(next.caret)}`;
    };
    expect(put("x {{no| y")).toBe("x {{node.a.output}}| y");
    expect(put("x {{no|}} y")).toBe("x {{node.a.output|}} y");
    expect(put("x {{| and {{b}}")).toBe("x {{node.a.output}}| and {{b}}");
  });
  it("offers what starts as typed before what has it somewhere", () => {
    const all = [{ text: "input.node", note: "" }, { text: "node.a.output", note: "" }, { text: "x", note: "the node" }];
    expect(matching(all, "node").map(({ text }) => text)).toEqual(["node.a.output", "input.node", "x"]);
  });
});

it("marks bindings, and those that are wrong", () => {
  const found = pieces("Hi {{node.a.output}}, {{node.zz.output}} {{ txt }} {{input.x}}", new Set(["a"]), [{ message: "there is no `txt` here" }]);
  expect(found.filter(({ kind }) => kind === "wrong").map(({ text }) => text)).toEqual(["{{node.zz.output}}", "{{ txt }}"]);
  expect(found.map(({ text }) => text).join("")).toBe("Hi {{node.a.output}}, {{node.zz.output}} {{ txt }} {{input.x}}");
});
