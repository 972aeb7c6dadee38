import { describe, expect, it } from "vitest";
import { makeScale, ticks, total, union, roomy } from "./scale";

it("joins spans that touch or overlap", () => {
  expect(union([{ start: 5, end: 8 }, { start: 0, end: 3 }, { start: 3, end: 4 }, { start: 6, end: 7 }])).toEqual([
    { start: 0, end: 4 },
    { start: 5, end: 8 },
  ]);
  expect(total([{ start: 0, end: 4 }, { start: 5, end: 8 }])).toBe(7);
});

describe("a scale", () => {
  it("is linear where something happens all the time", () => {
    const scale = makeScale(1000, 2000, [{ start: 1000, end: 2000 }]);
    expect(scale.folds).toEqual([]);
    expect([1000, 1250, 2000, 3000, 0].map(scale.at)).toEqual([0, 0.25, 1, 1, 0]);
  });

  it("folds a long wait, and keeps the order of times", () => {
    const hour = 3_600_000;
    const scale = makeScale(0, hour, [{ start: 0, end: 1000 }, { start: hour - 1000, end: hour }]);
    expect(scale.folds).toHaveLength(1);
    const [fold] = scale.folds;
    expect(fold?.from).toBeCloseTo(0.48);
    expect(fold?.to).toBeCloseTo(0.52);
    expect(scale.at(500)).toBeCloseTo(0.24);
    expect(scale.at(hour)).toBeCloseTo(1);
    const places = Array.from({ length: 200 }, (_, index) => scale.at((index / 199) * hour));
    expect(places).toEqual([...places].sort((a, b) => a - b));
  });

  it("does not fold short waits", () => {
    expect(makeScale(0, 3000, [{ start: 0, end: 1000 }, { start: 2500, end: 3000 }]).folds).toEqual([]);
  });

  it("survives a run without length or work", () => {
    expect(makeScale(5, 5, []).at(5)).toBe(0);
    const idle = makeScale(0, 100_000, []);
    expect(idle.at(0)).toBe(0);
    expect(idle.at(100_000)).toBeLessThanOrEqual(1);
  });
});

it("puts round times on the axis", () => {
  expect(ticks(1000, 5)).toEqual([0, 200, 400, 600, 800, 1000]);
  expect(ticks(7, 4)).toEqual([0, 2, 4, 6]);
  expect(ticks(0, 4)).toEqual([0]);
});

it("leaves room at the end of what grows, and moves it seldom", () => {
  const ends = new Set(Array.from({ length: 1_000 }, (_, index) => roomy(0, 10_000 + index * 10)));
  expect(ends.size).toBeLessThanOrEqual(3);
  for (const length of [0, 1, 9.99, 10, 12_345]) expect(roomy(5, 5 + length)).toBeGreaterThanOrEqual(5 + length);
});
