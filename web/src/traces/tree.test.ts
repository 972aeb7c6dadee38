import type { Span } from "@/api/types";
import { ms } from "@/runs/attempts";
import { describe, expect, it } from "vitest";
import { above, firstFailing, spanRows, spanTree, timeText } from "./tree";

const START = Date.UTC(2026, 0, 1);

function span(id: string, parent: string | null, more: Partial<Span> = {}): Span {
  return {
    span_id: id,
    parent_span_id: parent,
    name: id,
    kind: "task",
    status: "ok",
    error: null,
    started_at: timeText(START),
    duration_ms: 10,
    open: false,
    provider: null,
    model_requested: null,
    model: null,
    tokens_input: null,
    tokens_output: null,
    tokens_cached: null,
    tokens_cache_write: null,
    tokens_reasoning: null,
    cost_nanousd: null,
    prompt_name: null,
    prompt_version: null,
    input: null,
    output: null,
    attributes: {},
    counted: true,
    simulated: false,
    service: null,
    environment: null,
    metadata: {},
    tags: [],
    finish_reason: null,
    first_token_ms: null,
    parameters: {},
    tools: null,
    events: [],
    links: [],
    resource: {},
    scope: null,
    ...more,
  };
}

const names = (spans: Span[], shown?: string) => spanRows(spanTree(spans), new Map(), shown).map(({ path, depth }) => `${" ".repeat(depth)}${path}`);

describe("spans as rows", () => {
  it("stand under their parents, whatever the order in which they came", () => {
    expect(names([span("b", "a"), span("c", "b"), span("a", null), span("d", "a")])).toEqual(["a", " b", "  c", " d"]);
  });

  it("are roots when their parent is not there, or is themselves", () => {
    expect(names([span("a", "gone"), span("b", "b"), span("c", "a")])).toEqual(["a", " c", "b"]);
  });

  it("are all shown when parents go round in a ring", () => {
    const rows = names([span("x", "a"), span("a", "c"), span("b", "a"), span("c", "b")]);
    expect(rows.map((row) => row.trim()).sort()).toEqual(["a", "b", "c", "x"]);
    expect(above(spanTree([span("a", "b"), span("b", "a")]), "a")).toEqual(["b"]);
  });

  it("can be as deep as there are spans", () => {
    const deep = Array.from({ length: 10_000 }, (_, index) => span(`s${index}`, index > 0 ? `s${index - 1}` : null));
    expect(spanRows(spanTree(deep), new Map(), undefined)).toHaveLength(10_000);
    expect(spanTree(deep).roots[0]?.sum.steps).toBe(9_999);
  });

  it("say a duplicate once", () => {
    expect(names([span("a", null), span("a", null)])).toEqual(["a"]);
  });

  it("of many siblings begin closed, unless one of them is looked for", () => {
    const many = [span("root", null), span("each", "root"), ...Array.from({ length: 60 }, (_, index) => span(`i${index}`, "each"))];
    expect(names(many)).toHaveLength(2);
    expect(names(many, "i59")).toHaveLength(62);
  });

  it("sum what counts under them, and not what a wrapper repeats", () => {
    const used = { tokens_input: 10, tokens_output: 5, cost_nanousd: 7 };
    const tree = spanTree([span("root", null), span("wrap", "root", { ...used, counted: false }), span("call", "wrap", { ...used, status: "error" })]);
    expect(tree.roots[0]?.sum).toMatchObject({ steps: 2, failed: 1, tokens: 15, costNanousd: 7 });
    expect(tree.nodes.get("call")?.sum.tokens).toBeNull();
  });

  it("do not end before they begin, however short they are", () => {
    const [row] = spanRows(spanTree([span("a", null, { started_at: "2026-01-01T00:00:00.000900Z", duration_ms: 0.0004 })]), new Map(), undefined);
    expect(row?.step?.finished_at).toHaveLength(27);
    expect(ms(row?.step?.finished_at ?? "") - ms(row?.step?.started_at ?? "")).toBeGreaterThanOrEqual(0);
  });

  it("that last for ever end where dates end", () => {
    expect(spanRows(spanTree([span("a", null, { duration_ms: Number.MAX_VALUE })]), new Map(), undefined)[0]?.step?.finished_at).toMatch(/^9999-12-31T/);
  });
});

it("a failed trace opens on the cause, not on the spans that it brought down", () => {
  const failed = { status: "error" };
  const spans = [span("root", null, failed), span("agent", "root", failed), span("call", "agent", failed), span("later", "root", failed)];
  expect(firstFailing(spanTree(spans), spans)).toBe("call");
  expect(firstFailing(spanTree([span("a", null)]), [span("a", null)])).toBeUndefined();
});
