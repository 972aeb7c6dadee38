import type { Graph, Step } from "@/api/types";
import { describe, expect, test } from "vitest";
import { asks, signalOf, undoes } from "./waits";

const step = (more: Partial<Step>) => ({ step_id: "hold", node_id: "hold", node_type: "wait", status: "waiting", ...more }) as Step;
const graph: Graph = { nodes: [{ id: "hold", type: "wait", config: { signal: "go" } }, { id: "nap", type: "wait", config: { seconds: 5 } }], edges: [] };
const question = { message: "Go on?", interrupted: false, asked_at: "2026-01-01T00:00:00.000000Z", deadline: null, decision: null, decided_by: null, decided_at: null, reason: null };

describe("what a step waits for", () => {
  test("a signal, while it waits", () => {
    expect(signalOf(graph, step({}))).toBe("go");
    expect(signalOf(graph, step({ status: "succeeded" }))).toBeUndefined();
    expect(signalOf(graph, step({ node_id: "nap" }))).toBeUndefined();
    expect(signalOf(undefined, step({}))).toBeUndefined();
  });
  test("an answer, until there is one", () => {
    expect(asks(step({ question }))).toBe(true);
    expect(asks(step({ question: { ...question, decision: "approved" } }))).toBe(false);
    expect(asks(step({ question, status: "canceled" }))).toBe(false);
    expect(asks(step({}))).toBe(false);
  });
  test("an undo is known by its path", () => expect([undoes({ step_id: "book/undo" }), undoes({ step_id: "undo" })]).toEqual([true, false]));
});
