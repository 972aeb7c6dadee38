import { duration, usd } from "@/ui/format";
import { describe, expect, test } from "vitest";
import { delta } from "./delta";
import { compareSearch } from "./search";
import { promptText, textOf } from "./text";

describe("delta", () => {
  test.each([
    [1000, 1500, "+500 ms (+50%)", 1],
    [2000, 1000, "−1.00 s (−50%)", -1],
    [5, 5, "the same", 0],
    [0, 20, "+20 ms", 1],
    [1000, 1004, "+4 ms (+0.4%)", 1],
  ])("of %d and %d", (a, b, text, sign) => expect(delta(a, b, duration)).toEqual({ text, sign }));
  test("of what is unknown is unknown", () => {
    expect(delta(null, 5, duration)).toBeNull();
    expect(delta(5, undefined, usd)).toBeNull();
  });
  test("of money", () => expect(delta(2_700, 27_000, usd)?.text).toBe("+$0.0000243 (+900%)"));
});

describe("text", () => {
  test("a prompt reads as a conversation, with what was asked for after it", () => {
    const prompt = { messages: [{ role: "system", content: "Be brief." }, { role: "user", content: "Hello" }], parameters: { temperature: 0.2 } };
    expect(promptText(prompt)).toEqual({ text: 'SYSTEM\nBe brief.\n\nUSER\nHello\n\nPARAMETERS\n{\n  "temperature": 0.2\n}', mono: false });
  });
  test("what a tool was called with is JSON, and the beginning of a long prompt is text", () => {
    expect(promptText({ url: "http://a" })).toEqual({ text: '{\n  "url": "http://a"\n}', mono: true });
    expect(promptText("the beginn")).toEqual({ text: "the beginn", mono: false });
    expect(textOf(null)).toBe("");
  });
});

test("the address of a comparison", () => {
  expect(compareSearch({ a: "1", b: "2", step: "", only: "x" })).toEqual({ a: "1", b: "2", step: "", only: undefined });
});
