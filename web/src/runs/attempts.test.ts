import type { TraceEvent } from "@/api/types";
import { describe, expect, it } from "vitest";
import { attemptsOf, chipsOf, ms, StepEvents } from "./attempts";

const T0 = Date.parse("2026-01-01T00:00:00Z");
let seq = 0;
const event = (at: number, kind: string, payload: Record<string, unknown> = {}, step: string | null = "a"): TraceEvent => ({
  seq: ++seq,
  ts: new Date(T0 + at).toISOString(),
  kind,
  step_id: step,
  payload,
});
const error = { code: "rate_limited", message: "Slow down.", status: 429 };
const shape = (events: TraceEvent[], end?: number) =>
  attemptsOf(events, end).map(({ request, attempt, start, end, outcome }) => [
    request,
    attempt,
    start - T0,
    end === undefined ? null : end - T0,
    outcome,
  ]);

describe("attempts", () => {
  it("are one bar each, through retries and a fallback", () => {
    const events = [
      event(0, "step.scheduled"),
      event(0, "llm.request", { request: 1, attempt: 1, provider: "openai", model: "m" }),
      event(100, "retry", { request: 1, attempt: 2, after_ms: 50, error }),
      event(150, "llm.request", { request: 1, attempt: 2, provider: "openai", model: "m" }),
      event(300, "fallback", { request: 2, from: { provider: "openai", model: "m" }, to: { provider: "anthropic", model: "n" }, error }),
      event(300, "llm.request", { request: 2, attempt: 1, provider: "anthropic", model: "n" }),
      event(700, "llm.response", { request: 2, attempt: 1, first_token_ms: 120 }),
      event(700, "step.succeeded"),
    ];
    expect(shape(events)).toEqual([
      [1, 1, 0, 100, "failed"],
      [1, 2, 150, 300, "failed"],
      [2, 1, 300, 700, "succeeded"],
    ]);
    const attempts = attemptsOf(events);
    expect(attempts[0]?.error).toEqual(error);
    expect(attempts[2]?.firstToken).toBe(T0 + 420);
    expect(chipsOf(events)).toEqual({ retries: 1, fallbacks: [{ from: "m", to: "n" }], lost: 0 });
  });

  it("stay open while they run, and end with a canceled run", () => {
    const events = [event(0, "llm.request", { request: 1, attempt: 1 })];
    expect(shape(events)).toEqual([[1, 1, 0, null, "running"]]);
    expect(shape(events, T0 + 40)).toEqual([[1, 1, 0, 40, "canceled"]]);
  });

  it("that a crash lost are told from failed ones", () => {
    const events = [
      event(0, "tool.request", { request: 1, attempt: 1, tool: "http" }),
      event(50, "step.lost", { request: 1, attempt: 1 }),
      event(60, "tool.request", { request: 1, attempt: 1, tool: "http" }),
      event(90, "tool.response", { request: 1, attempt: 1 }),
    ];
    expect(shape(events)).toEqual([
      [1, 1, 0, 50, "lost"],
      [1, 1, 60, 90, "succeeded"],
    ]);
  });

  it("of a cached answer are a point in time", () => {
    expect(shape([event(0, "step.scheduled"), event(5, "cache.hit", { request: 1 }), event(5, "step.succeeded")])).toEqual([
      [1, 1, 5, 5, "cached"],
    ]);
    expect(shape([event(0, "llm.request", { request: 1, attempt: 1 }), event(5, "cache.hit", { request: 1 })])).toEqual([
      [1, 1, 0, 5, "cached"],
    ]);
  });

  it("survive payloads of any shape", () => {
    expect(shape([event(0, "llm.request"), event(1, "retry", { error: "?" }), event(2, "unknown")])).toEqual([[1, 1, 0, 1, "failed"]]);
    expect(attemptsOf(undefined)).toEqual([]);
  });
});

it("sorts events by step", () => {
  const events = [event(0, "run.started", {}, null), event(1, "log", {}, "a"), event(2, "log", {}, "b"), event(3, "log", {}, "a")];
  expect([...new StepEvents().of(events)].map(([step, list]) => [step, list.length])).toEqual([["a", 2], ["b", 1]]);
});

it("adds to the events of steps, and leaves alone those of steps to which nothing happened", () => {
  const at = (seq: number, step_id: string | null) => ({ seq, ts: "", kind: "log", step_id, payload: {} });
  const grouped = new StepEvents();
  const first = [at(1, null), at(2, "a"), at(3, "b")];
  const before = grouped.of(first);
  const longer = [...first, at(4, "b"), at(5, "b"), at(6, "c")];
  const after = grouped.of(longer);
  expect([...after].map(([step, list]) => [step, list.map(({ seq }) => seq)])).toEqual([["a", [2]], ["b", [3, 4, 5]], ["c", [6]]]);
  expect(after.get("a")).toBe(before.get("a"));
  expect(before.get("b")?.length).toBe(1);
  expect(grouped.of(longer)).toBe(after);
  // Another journal begins anew.
  expect([...grouped.of([at(1, "z")])].map(([step]) => step)).toEqual(["z"]);
});

it("reads times as the API writes them, and any other", () => {
  for (const ts of ["2026-11-21T03:39:25.123456Z", "2026-11-21T03:39:59.999999Z", "2026-11-21T03:40:00.000000Z", "1970-01-01T00:00:00.000000Z", "2024-02-29T23:59:59.000001Z"]) {
    expect(ms(ts)).toBeCloseTo(Date.parse(ts) + Number(ts.slice(23, 26)) / 1000, 3);
  }
  expect(ms("2026-11-21T03:39:25Z")).toBe(Date.parse("2026-11-21T03:39:25Z"));
});
