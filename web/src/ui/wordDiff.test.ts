import { describe, expect, test } from "vitest";
import { wordDiff, type Piece } from "./wordDiff";

const side = (pieces: Piece[], without: Piece["kind"]) => pieces.filter((piece) => piece.kind !== without).map((piece) => piece.text).join("");
const marked = (pieces: Piece[]) => pieces.map(({ kind, text }) => ({ same: text, removed: `[-${text}-]`, added: `{+${text}+}` })[kind]).join("");

describe("wordDiff", () => {
  test.each([
    ["Write a short reply.", "Write a long reply.", "Write a [-short-]{+long+} reply."],
    ["", "new", "{+new+}"],
    ["old", "", "[-old-]"],
    ["same", "same", "same"],
    ["one two three", "one three", "one [-two -]three"],
    ["ask for the order", "ask about an order", "ask [-for the-]{+about an+} order"],
    ["日本語です", "日本人です", "日本[-語-]{+人+}です"],
    ['{\n  "amount": 40\n}', '{\n  "amount": 25\n}', '{\n  "amount": [-40-]{+25+}\n}'],
  ])("%j to %j", (before, after, expected) => expect(marked(wordDiff(before, after))).toBe(expected));

  test("the pieces are both texts, whatever they are", () => {
    let seed = 7;
    const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
    const words = ["a", "bb", " ", "\n", "c.", "é", "🙂", "日"];
    const text = () => Array.from({ length: random(60) }, () => words[random(words.length)]).join("");
    for (let round = 0; round < 500; round++) {
      const [before, after] = [text(), text()];
      const pieces = wordDiff(before, after);
      const say = `round ${round}: ${JSON.stringify([before, after])}`;
      expect(side(pieces, "added"), say).toBe(before);
      expect(side(pieces, "removed"), say).toBe(after);
    }
  });

  test("texts with nothing in common come back whole", () => {
    const before = Array.from({ length: 4_000 }, (_, index) => `a${index}`).join(" x\n");
    const after = Array.from({ length: 4_000 }, (_, index) => `b${index}`).join(" y\n");
    const pieces = wordDiff(before, after);
    expect(pieces.map(({ kind }) => kind)).toEqual(["removed", "added"]);
    expect(side(pieces, "removed")).toBe(after);
  });

  test("a small change of a large text is found by words", () => {
    const text = Array.from({ length: 40_000 }, (_, index) => `word${index}`).join(" ");
    expect(marked(wordDiff(text, text.replace("word20000 ", "other "))).match(/\[-.*-\]\{\+.*\+\}/)?.[0]).toBe("[-word20000-]{+other+}");
  });
});
