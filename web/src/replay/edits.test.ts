import type { Graph, GraphNode } from "@/api/types";
import { describe, expect, test } from "vitest";
import { forkOf, nodeOfStep, restOf } from "./edits";

const llm: GraphNode = { id: "draft", type: "llm", config: { prompt: "Write.", model: "gpt-4o-mini", temperature: 0.5 }, inputs: { tone: "calm" } };
const made = (draft: Parameters<typeof forkOf>[3], input: unknown = { topic: "tea" }) => forkOf("draft", llm, input, draft);

describe("forkOf", () => {
  test("nothing is edited", () => expect(made({ texts: {} })).toEqual({ fork: { from: "draft", edits: {} }, edited: false }));
  test("what was typed and taken back is no edit", () => expect(made({ texts: { prompt: "Write." }, rest: '{"temperature": 0.5}', inputs: '{"tone":"calm"}' })).toMatchObject({ edited: false }));
  test("texts, the rest of the configuration, inputs and the run's input", () => {
    expect(made({ texts: { prompt: "Write less.", model: "", system: "Be brief." }, rest: '{"maxTokens": 50}', inputs: '{"tone":"dry","who":1}', run: '{"topic":"milk"}' })).toEqual({
      fork: {
        from: "draft",
        input_vars: { topic: "milk" },
        edits: { draft: { config: { prompt: "Write less.", model: null, system: "Be brief.", temperature: null, maxTokens: 50 }, inputs: { tone: "dry", who: 1 } } },
      },
      edited: true,
    });
  });
  test.each([
    [{ texts: {}, rest: "{" }, /^Configuration: /],
    [{ texts: {}, rest: "[1]" }, /has to be an object/],
    [{ texts: {}, inputs: "nul" }, /^Inputs of the step: /],
    [{ texts: {}, run: "3" }, /^Input of the run: this has to be an object/],
  ])("%j is refused", (draft, error) => expect(made(draft).error).toMatch(error));
});

describe("nodeOfStep", () => {
  const graph: Graph = { nodes: [{ id: "each", type: "map", config: { body: { nodes: [{ id: "support", type: "agent", config: {} }], edges: [] } } }], edges: [] };
  test.each([
    ["support", "each[3]/support", "support"],
    ["model", "each[3]/support[2]/model", "support"],
    ["call", "each[3]/support[2]/tools[0]/call", "support"],
    ["gone", "gone", undefined],
  ])("%s at %s", (node_id, step_id, id) => expect(nodeOfStep(graph, { node_id, step_id })?.id).toBe(id));
});

test("a body is not edited as JSON", () => {
  expect(restOf({ id: "each", type: "map", config: { items: "{{ input.x }}", body: { nodes: [] } } })).toEqual({ items: "{{ input.x }}" });
});
