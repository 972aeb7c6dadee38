import { filterOf } from "@/api/traces";
import type { TraceSummary } from "@/api/types";
import { describe, expect, it } from "vitest";
import { costText, costTitle, durationText } from "./look";
import { messagesOf } from "./messages";
import { conditions, localTime, utcTime } from "./chips";
import { isSame, readSaved, withSaved } from "./saved";
import { scoreValue } from "./score";
import { filtersOf, listOf, metadataOf, sessionsSearch, tracesSearch, traceSearch } from "./search";
import { merge, MOST_LIVE } from "./tail";

describe("filters in the URL", () => {
  it("are kept when they make sense", () => {
    const search = tracesSearch({ status: "failed", kind: "llm", since: "24h", user: "u1", session: "s1", tag: "a,b", q: "refun*", sort: "-cost", live: "1" });
    expect(search).toMatchObject({ status: "failed", kind: "llm", since: "24h", user: "u1", session: "s1", tag: "a,b", q: "refun*", sort: "-cost", live: "1" });
    expect(listOf(search)).toEqual({ status: "failed", kind: "llm", since: "24h", user_id: "u1", session_id: "s1", tag: "a,b", q: "refun*", sort: "-cost" });
    expect(filtersOf(search)).not.toHaveProperty("sort");
    expect(listOf(tracesSearch({ prompt: "Support/answer", version: "3" }))).toEqual({ prompt: "Support/answer", prompt_version: "3" });
  });

  it("are left out when they do not", () => {
    const search = tracesSearch({ status: "broken", kind: "thing", since: "1 year", model: " ", q: 7, sort: "newest", live: "yes", constructor: "x" });
    expect(filtersOf(search)).toEqual({});
    expect(listOf(search)).toEqual({});
    expect(traceSearch({ view: "graph", span: "", tab: 1 })).toEqual({ view: undefined, span: "", tab: undefined });
  });

  it("count the time back from now", () => {
    const filter = filterOf({ since: "1h", sort: "-cost", status: "ok" }, Date.UTC(2026, 0, 1, 12));
    expect(filter).toEqual({ from: "2026-01-01T11:00:00.000Z", status: "ok" });
  });
});

describe("numbers, times and metadata", () => {
  const search = tracesSearch({ cost_from: "0.01", seconds_to: "2.5", tokens_from: "10", tokens_to: "20", score: "quality", value_from: "-1", metadata: '{"ticket":17,"team":"eu"}', from: "2026-01-01T10:00:00.000Z", pinned: "true" });

  it("become what the API takes: nano-dollars, milliseconds", () => {
    expect(listOf(search)).toEqual({
      min_cost_nanousd: 10_000_000,
      max_duration_ms: 2500,
      min_tokens: 10,
      max_tokens: 20,
      score: "quality",
      min_score: -1,
      metadata: '{"ticket":"17","team":"eu"}',
      from: "2026-01-01T10:00:00.000Z",
      pinned: true,
    });
    expect(filterOf(listOf(search), 0).from).toBe("2026-01-01T10:00:00.000Z");
  });

  it("are left out when they are none", () => {
    expect(filtersOf(tracesSearch({ cost_from: "a", seconds_to: "-1", tokens_from: "Infinity", value_from: "3", metadata: "[1]", from: "yesterday", pinned: "no" }))).toEqual({});
    expect(filtersOf(tracesSearch({ since: "1h", from: "2026-01-01T10:00:00Z" }))).toEqual({ since: "1h" });
    expect(metadataOf("{")).toEqual([]);
  });

  it("are conditions that can be taken away one by one", () => {
    expect(conditions(search).map(({ label, value }) => `${label}: ${value}`)).toEqual([
      expect.stringMatching(/^From: 1 Jan 2026/),
      "Score: quality",
      "Metadata: ticket = 17",
      "Metadata: team = eu",
      "Latency: ≤ 2.5 s",
      "Cost: ≥ 0.01 US$",
      "Tokens: 10 to 20",
      "Value of the score: ≥ -1",
      "Pinned: yes",
    ]);
    let left = search;
    for (let count = conditions(search).length; count > 0; count -= 1) left = { ...left, ...conditions(left)[0]?.without };
    expect(filtersOf(left)).toEqual({});
    const score = conditions(search).find(({ id }) => id === "score")?.without ?? {};
    expect(listOf(score)).not.toHaveProperty("min_score");
  });

  it("a local time comes back as it was", () => {
    expect(utcTime(localTime("2026-03-04T05:06:00.000Z"))).toBe("2026-03-04T05:06:00.000Z");
    expect([localTime(undefined), utcTime("")]).toEqual(["", undefined]);
  });

  it("sessions", () => {
    expect(sessionsSearch({ q: "a", status: "failed", user: "u", sort: "-cost" })).toEqual({ q: "a", status: "failed", user: "u", sort: "-cost" });
    expect(sessionsSearch({ q: " ", status: "running", sort: "newest" })).toEqual({});
  });
});

describe("saved filters", () => {
  it("survive whatever is in the storage", () => {
    for (const text of [null, "", "{", "7", "[1,null,{}]", '[{"name":"x"}]', '[{"name":7,"search":{}}]']) expect(readSaved(text), String(text)).toEqual([]);
    expect(readSaved('[{"name":"x","search":{"status":"failed","kind":"nonsense"}}]')).toEqual([{ name: "x", search: { status: "failed" } }]);
  });

  it("replace one of the same name, and know themselves again", () => {
    const a = { name: "a", search: tracesSearch({ status: "failed", user: "u" }) };
    const all = withSaved(withSaved([a], { name: "b", search: {} }), { name: "a", search: { user: "v" } });
    expect(all.map(({ name, search }) => [name, search.user])).toEqual([["a", "v"], ["b", undefined]]);
    expect(isSame({ user: "u", status: "failed", sort: "-cost" }, a.search)).toBe(true);
    expect(isSame({ user: "u" }, a.search)).toBe(false);
  });
});

describe("a cost", () => {
  it("is unknown, or at least something, but never nothing that is not", () => {
    const of = (total_cost_nanousd: number, cost_complete: boolean) => costText({ total_cost_nanousd, cost_complete });
    expect([of(0, true), of(0, false), of(5_000, false), of(5_000, true)]).toEqual(["$0", "—", "≥ $0.000005", "$0.000005"]);
    expect(costTitle({ total_cost_nanousd: 0, cost_complete: false })).toBe("No call has a known price.");
  });
});

describe("a live list", () => {
  const trace = (trace_id: string, name = trace_id) => ({ trace_id, name }) as TraceSummary;
  const list = { pages: [{ traces: [trace("b"), trace("a")], next_cursor: "c" }, { traces: [trace("old")], next_cursor: null }], pageParams: [1, 2] };

  it("changes a trace in its place and puts new ones first, the last first", () => {
    const next = merge(list, [trace("n1"), trace("old", "again"), trace("n2"), trace("n1", "more")]);
    expect(next?.pages.map((page) => page.traces.map(({ name }) => name))).toEqual([["more", "n2", "b", "a"], ["again"]]);
    expect(next?.pageParams).toEqual([1, 2]);
  });

  it("gives up before it grows for ever", () => {
    expect(merge(list, Array.from({ length: MOST_LIVE }, (_, index) => trace(`t${index}`)))).toBeNull();
    expect(merge({ pages: [], pageParams: [] }, [trace("x")])).toBeNull();
  });
});

describe("messages", () => {
  it("are read with their calls, and parts of text as one text", () => {
    const messages = messagesOf([
      { role: "user", content: [{ type: "text", text: "a" }, { type: "text", text: "b" }] },
      { role: "assistant", content: null, tool_calls: [{ id: "1", name: "find", arguments: { q: 1 } }, "junk", { arguments: 2 }] },
    ]);
    expect(messages?.[0]?.content).toBe("a\nb");
    expect(messages?.[1]?.calls).toEqual([{ name: "find", arguments: { q: 1 } }, { name: "tool", arguments: 2 }]);
  });

  it("are nothing else", () => {
    for (const value of [null, "text", {}, [], [1], [{ content: "x" }], [{ role: 1 }]]) expect(messagesOf(value)).toBeNull();
    const parts = [{ type: "text", text: "a" }, { type: "image", url: "x" }];
    expect(messagesOf([{ role: "user", content: parts }])?.[0]?.content).toBe(parts);
  });
});

it("what is under way has no duration before anything of it has ended", () => {
  expect([durationText({ status: "running", duration_ms: 0 }), durationText({ status: "running", duration_ms: 1500 }), durationText({ status: "ok", duration_ms: 0 })]).toEqual(["—", "≥ 1.50 s", "0 ms"]);
});

it("a score is a number, yes or no, or a word", () => {
  expect(["0.9", " yes ", "False", "good", "", "1e999"].map(scoreValue)).toEqual([0.9, true, false, "good", null, "1e999"]);
});
