import { expect, it } from "vitest";
import { append } from "./trace";
import type { TraceEvent } from "./types";

const events = (...seqs: number[]) => seqs.map((seq): TraceEvent => ({ seq, ts: "", kind: "log", step_id: null, payload: {} }));

it("appends what is new, ignores what is known, and notices a gap", () => {
  const known = events(1, 2, 3);
  expect(append(known, events(2, 3))).toBe(known);
  expect(append(known, events(3, 4, 5))).toEqual(events(1, 2, 3, 4, 5));
  expect(append(known, events(5))).toBeNull();
  expect(append([], events(1))).toEqual(events(1));
  expect(append(known, [])).toBe(known);
});
