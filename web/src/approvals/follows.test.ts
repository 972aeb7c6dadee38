import type { Graph } from "@/api/types";
import { describe, expect, test } from "vitest";
import { follows, onTimeout } from "./follows";

const node = (id: string, type = "tool", more: object = {}) => ({ id, type, ...more });
const graph = (edges: Graph["edges"], more: object[] = []): Graph => ({
  nodes: [node("ask", "approval", { config: { onTimeout: "reject" } }), node("pay"), node("mail"), node("sorry"), ...(more as Graph["nodes"])],
  edges,
});
const ids = (found: ReturnType<typeof follows>) => found.next.map((each) => each.node.id + (each.when ? ` if ${each.when}` : ""));

describe("follows", () => {
  const branches = graph([
    { from: "ask", to: "pay", when: "branch == 'approved'" },
    { from: "ask", to: "sorry", when: 'branch != "approved"' },
    { from: "pay", to: "mail" },
  ]);
  test("a yes and a no go their own ways", () => {
    expect(ids(follows(branches, "ask", "approved", false))).toEqual(["pay"]);
    expect(follows(branches, "ask", "approved", false).later).toBe(1);
    expect(ids(follows(branches, "ask", "rejected", false))).toEqual(["sorry"]);
  });
  test("without edges that look at the decision, a no fails the run", () => {
    const plain = graph([{ from: "ask", to: "pay" }]);
    expect(ids(follows(plain, "ask", "approved", false))).toEqual(["pay"]);
    expect(follows(plain, "ask", "rejected", false)).toEqual({ next: [], later: 0, note: "The step fails, and the run with it." });
  });
  test("a failure may be handled", () => {
    const handled = graph([{ from: "ask", to: "pay" }, { from: "ask", to: "sorry", on: "error" }]);
    expect(ids(follows(handled, "ask", "rejected", false))).toEqual(["sorry"]);
    expect(ids(follows(handled, "ask", "approved", false))).toEqual(["pay"]);
  });
  test("a rule that asks for more is said as it is", () => {
    expect(ids(follows(graph([{ from: "ask", to: "pay", when: "node.ask.output.payload.amount < 100" }]), "ask", "approved", false))).toEqual([
      "pay if node.ask.output.payload.amount < 100",
    ]);
  });
  test("a question in the body of another node", () => {
    const outer: Graph = { nodes: [node("each", "map", { name: "Each order", config: { body: { entry: "ask", nodes: [node("ask", "approval")], edges: [] } } })], edges: [] };
    expect(follows(outer, "ask", "approved", false).note).toBe("This part of “Each order” is done, and “Each order” goes on.");
    expect(follows(outer, "ask", "rejected", false).note).toBe("The step fails, and “Each order” deals with that.");
  });
  test("an interrupted call fails when it shall not be made again, whatever its edges ask", () => {
    expect(follows(branches, "ask", "rejected", true).note).toBe("The step fails, and the run with it.");
  });
  test("a document without the node, and one without sense", () => {
    expect(follows({ nodes: [], edges: [] }, "ask", "approved", false).note).toMatch(/does not say/);
    expect(follows(graph([{ from: "ask", to: "nowhere" }]), "ask", "approved", false).next).toEqual([]);
  });
  test("nobody answers", () => {
    expect(onTimeout(branches, "ask")).toBe("then it counts as rejected");
    expect(onTimeout(branches, "pay")).toBe("then the step fails");
  });
});
