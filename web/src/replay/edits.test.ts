import type { Graph, GraphNode } from "@/api/types";
import { describe, expect, test } from "vitest";
import { editable, forkOf, nodeOfStep, restOf, type NodeDraft } from "./edits";

const llm: GraphNode = { id: "draft", type: "llm", config: { prompt: "Write.", model: "gpt-4o-mini", temperature: 0.5 }, inputs: { tone: "calm" } };
const polish: GraphNode = { id: "polish", type: "llm", config: { prompt: "Polish." } };
const made = ({ run, ...draft }: NodeDraft & { run?: string }, input: unknown = { topic: "tea" }) => forkOf("draft", [llm, polish], input, { nodes: { draft }, run });

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
    [{ texts: {}, rest: "{" }, /^Configuration of draft: /],
    [{ texts: {}, rest: "[1]" }, /has to be an object/],
    [{ texts: {}, inputs: "nul" }, /^Inputs of draft: /],
    [{ texts: {}, run: "3" }, /^Input of the run: this has to be an object/],
  ])("%j is refused", (draft, error) => expect(made(draft).error).toMatch(error));
});

test("several steps are edited at once, each for itself", () => {
  const all = forkOf("draft", [llm, polish], {}, { nodes: { draft: { texts: { prompt: "A" } }, polish: { texts: { model: "m" } }, gone: { texts: { prompt: "B" } } } });
  expect(all).toMatchObject({ fork: { edits: { draft: { config: { prompt: "A" } }, polish: { config: { model: "m" } } } }, edited: true });
  expect(forkOf("draft", [polish], {}, { nodes: { polish: { texts: {}, rest: "{" } } }).error).toMatch(/^Configuration of polish: /);
});

describe("editable", () => {
  const body = { nodes: [{ id: "inner", type: "llm" }, { id: "again", type: "loop", config: { body: { nodes: [{ id: "deep", type: "llm" }] } } }] };
  const graph: Graph = { nodes: [{ id: "each", type: "map", config: { body } }, { id: "after", type: "llm" }], edges: [] };
  const ids = (step: { node_id: string; step_id: string }, again: string[] = []) => editable(graph, step, again.map((step_id) => ({ step_id }))).map(({ id }) => id);
  test("a container comes with everything in its body", () => expect(ids({ node_id: "each", step_id: "each" })).toEqual(["each", "inner", "again", "deep"]));
  test("steps that run again can be edited too, each once", () =>
    expect(ids({ node_id: "deep", step_id: "each[1]/again[2]/deep" }, ["each[1]/again[2]/deep", "each[1]/again", "each", "after"])).toEqual(["deep", "again", "each", "after"]));
  test("a body that is no graph is none", () => expect(editable({ nodes: [{ id: "x", type: "map", config: { body: { nodes: [null, 3] } } }], edges: [] }, { node_id: "x", step_id: "x" }, [])).toHaveLength(1));
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
