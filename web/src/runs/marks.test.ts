import { describe, expect, test } from "vitest";
import { marksOf, placeMarks } from "./marks";
import { makeScale } from "./scale";

const overlaps = (marks: ReturnType<typeof placeMarks>) =>
  marks.some((a) => marks.some((b) => a !== b && a.left < b.left + b.text.length * 7 && b.left < a.left + a.text.length * 7));

describe("the marks of the time axis", () => {
  test("no two stand on one another, at any width, and none leaves the axis", () => {
    const scale = makeScale(0, 66, [{ start: 0, end: 66 }]);
    for (let width = 0; width <= 900; width += 10) {
      const placed = placeMarks(marksOf(scale, 0, 66, () => undefined), width);
      expect(overlaps(placed), `at ${width} px: ${JSON.stringify(placed)}`).toBe(false);
      for (const { left, text } of placed) expect(left + text.length * 7).toBeLessThanOrEqual(width);
    }
    expect(placeMarks(marksOf(scale, 0, 66, () => undefined), 600).map((mark) => mark.text).sort()).toEqual(["0 ms", "20 ms", "40 ms", "60 ms"]);
  });

  test("a folded wait says how long it is, with as many words as have room", () => {
    const scale = makeScale(0, 3_601_000, [{ start: 0, end: 1_000 }]);
    const texts = (width: number) => placeMarks(marksOf(scale, 0, 3_601_000, () => "waiting for approval"), width).map((mark) => mark.text);
    expect(texts(600)).toEqual(["1 h 00 min waiting for approval", "0 ms"]);
    expect(texts(180)[0]).toBe("1 h 00 min waiting");
    expect(texts(90)[0]).toBe("1 h 00 min");
    expect(texts(20)).toEqual([]);
  });

  test("of a wait that goes on only what has passed is said", () => {
    const scale = makeScale(0, 30_000, [{ start: 0, end: 1 }]);
    expect(marksOf(scale, 0, 27_100, () => undefined)[0]?.texts).toEqual(["27.1 s idle", "27.1 s"]);
  });
});
