import type { Step } from "@/api/types";
import { describe, expect, it } from "vitest";
import { ancestors, OPEN_UP_TO, pathRows, type PathRow } from "./rows";

const step = (step_id: string, more: Partial<Step> = {}) => ({ step_id, status: "succeeded", ...more }) as Step;
const steps = (...paths: string[]) => paths.map((path) => step(path));
const shape = (rows: PathRow[]) => rows.map(({ label, depth, step, open, children }) => `${"  ".repeat(depth)}${label}${step ? "" : " -"}${children > 0 && !open ? " +" : ""}`);
const none = new Map<string, boolean>();
const review = steps("plan", "review", "review[1]/critic", "review[2]/critic", "review[2]/writer", "end");

describe("rows by path", () => {
  it("puts steps under the parts of their paths, and says a part with one row together with it", () => {
    expect(shape(pathRows(review, none, []))).toEqual(["plan", "review", "  [1] / critic", "  [2] -", "    critic", "    writer", "end"]);
  });

  it("leaves out what the reader closed", () => {
    expect(shape(pathRows(review, new Map([["review", false]]), []))).toEqual(["plan", "review +", "end"]);
    expect(shape(pathRows(review, new Map([["review[2]", false]]), []))).toEqual(["plan", "review", "  [1] / critic", "  [2] - +", "end"]);
  });

  it("keeps steps without nesting as they came", () => {
    expect(shape(pathRows(steps("b", "a", "c.d"), none, []))).toEqual(["b", "a", "c.d"]);
  });

  it("takes nesting of any depth, indices beside indices, and paths that nothing stands above", () => {
    expect(shape(pathRows(steps("a[1][2]/b[3]/c", "a[1][2]/b[4]/c"), none, []))).toEqual(["a[1][2] / b -", "  [3] / c", "  [4] / c"]);
    expect(shape(pathRows(steps("[1]", "x//y", "/", "a[", "a]"), none, [])).length).toBeGreaterThan(4);
  });
});

describe("a map of many items", () => {
  const item = (index: number) => [
    step(`each[${index}]/summarize`, {
      node_type: "llm",
      status: index === 7777 ? "failed" : "succeeded",
      started_at: `2026-01-01T00:00:${String(index % 60).padStart(2, "0")}.000000Z`,
      finished_at: `2026-01-01T00:01:${String(index % 60).padStart(2, "0")}.000000Z`,
      tokens_input: 10,
      tokens_output: 5,
      cost_nanousd: 7,
    }),
    step(`each[${index}]/store`, { node_type: "tool" }),
  ];
  const many = [step("each", { node_type: "map" }), ...Array.from({ length: 10_000 }, (_, index) => item(index)).flat(), step("after")];

  it("begins closed, and its row says what is in it", () => {
    const rows = pathRows(many, none, []);
    expect(shape(rows)).toEqual(["each +", "after"]);
    expect(rows[0]).toMatchObject({
      children: 10_000,
      sum: { steps: 20_000, failed: 1, active: 0, start: "2026-01-01T00:00:00.000000Z", end: "2026-01-01T00:01:59.000000Z", tokens: 150_000, costNanousd: 70_000 },
    });
  });

  it("opens on the item that failed the run, which the reader may close again", () => {
    const failed = "each[7777]/summarize";
    const rows = pathRows(many, none, [failed]);
    expect(rows.filter(({ depth }) => depth === 0).map(({ path }) => path)).toEqual(["each", "after"]);
    expect(rows.some(({ path }) => path === failed)).toBe(true);
    expect(shape(pathRows(many, new Map([["each", false]]), [failed]))).toEqual(["each +", "after"]);
  });

  it("opens groups up to a number of rows", () => {
    const loop = (turns: number) => Array.from({ length: turns }, (_, turn) => step(`agent[${turn + 1}]/search`));
    expect(pathRows(loop(OPEN_UP_TO), none, [])).toHaveLength(1 + OPEN_UP_TO);
    expect(pathRows(loop(OPEN_UP_TO + 1), none, [])).toHaveLength(1);
  });

  it("has no end while some step is under way", () => {
    const going = [step("m[1]/a", { started_at: "2026-01-01T00:00:00.000000Z", finished_at: "2026-01-01T00:00:01.000000Z" }), step("m[2]/a", { status: "running", started_at: "2026-01-01T00:00:02.000000Z" })];
    expect(pathRows(going, none, [])[0]?.sum).toMatchObject({ active: 1, end: null, steps: 2 });
  });
});

it("names the paths above a step", () => {
  expect(ancestors("each[17]/summarize")).toEqual(["each", "each[17]"]);
  expect(ancestors("a[1][2]/b")).toEqual(["a", "a[1]", "a[1][2]"]);
  expect(ancestors("plain")).toEqual([]);
});
