import { expect, it } from "vitest";
import { failures, type Attempt } from "./attempts";

const attempt = (number: number, model: string, message?: string): Attempt => ({
  request: 1,
  attempt: number,
  start: number,
  outcome: message === undefined ? "succeeded" : "failed",
  model,
  ...(message !== undefined && { error: { code: "x", message } }),
});

it("says what failed alike once, and what failed otherwise for itself", () => {
  const found = failures([attempt(1, "a", "429"), attempt(2, "a", "429"), attempt(3, "a", "500"), attempt(1, "b", "500"), attempt(2, "b")]);
  expect(found.map(({ model, first, last, text }) => [model, first, last, text])).toEqual([
    ["a", 1, 2, "429"],
    ["a", 3, 3, "500"],
    ["b", 1, 1, "500"],
  ]);
});
