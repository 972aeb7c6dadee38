import type { RunSummary } from "@/api/types";
import { expect, it } from "vitest";
import { percentile, statsOf } from "./stats";

it("takes percentiles by nearest rank", () => {
  expect(percentile([], 0.5)).toBeUndefined();
  expect(percentile([7], 0.99)).toBe(7);
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
  expect([percentile(hundred, 0.5), percentile(hundred, 0.99)]).toEqual([50, 99]);
});

it("counts only what has ended, and only known costs", () => {
  const run = (status: string, ms: number | null, cost: number, complete = true) =>
    ({ status, total_latency_ms: ms, total_cost_nanousd: cost, cost_complete: complete }) as RunSummary;
  const stats = statsOf([run("running", null, 0), run("failed", 300, 10), run("succeeded", 100, 30), run("canceled", 5, 0), run("succeeded", 200, 999, false)]);
  expect(stats.p50).toBe(200);
  expect(stats.p99).toBe(300);
  expect(stats.cost).toBe(20);
  expect(stats.latest).toHaveLength(5);
  expect(statsOf([])).toEqual({ latest: [], p50: undefined, p99: undefined, cost: undefined });
});
