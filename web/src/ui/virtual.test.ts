import { expect, it } from "vitest";
import { Slots } from "./virtual";

const window = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => `row ${from + index}`);

it("keeps the places of rows that stay, and gives those of rows that left to new ones", () => {
  const slots = new Slots();
  const first = slots.assign(window(0, 30));
  expect(new Set(first).size).toBe(30);
  const second = slots.assign(window(4, 34));
  expect(second.slice(0, 26)).toEqual(first.slice(4));
  expect(new Set(second.slice(26))).toEqual(new Set(first.slice(0, 4)));
  expect(slots.assign(window(4, 34))).toEqual(second);
});

it("never gives one place to two rows, whatever comes and goes", () => {
  const slots = new Slots();
  for (let step = 0; step < 300; step++) {
    const from = (step * 7919) % 200;
    const rows = ["pinned", ...window(from, from + (step % 40))];
    const given = slots.assign(rows);
    expect(new Set(given).size).toBe(rows.length);
    expect(Math.max(...given)).toBeLessThan(41 + 1);
  }
});
