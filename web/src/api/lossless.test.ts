import { describe, expect, it } from "vitest";
import { numberIn, numberOf, parseJson, RawNumber, writeJson } from "./lossless";

const texts = [
  `{"a":9007199254740993,"b":[1.0,-0,1e3,0.10,1E-7,123456789012345678901234567890],"c":{"d":-12345678901234567890}}`,
  `{"text":"9007199254740993 and 1.0 \\" 2.0","9007199254740993":1,"deep":[[[18446744073709551615]]]}`,
  `9007199254740993`,
  `{"plain":[1,2.5,-3,true,null,"x"],"none":{}}`,
];

describe("numbers stay as they were written", () => {
  it.each(texts)("%s", (text) => {
    expect(writeJson(parseJson(text))).toBe(text);
    expect(JSON.parse(writeJson(parseJson(text), 2))).toEqual(JSON.parse(text));
  });

  it("what a double keeps is a number, and what it does not keep can be read as the nearest one", () => {
    expect(parseJson("[1, 2.5, -3e-7]")).toEqual([1, 2.5, -3e-7]);
    expect(numberIn(parseJson("1.0"))).toBe(1);
    expect(numberIn(parseJson("9007199254740993"))).toBe(9007199254740992);
    expect(numberIn("1")).toBeUndefined();
    expect(JSON.stringify({ a: new RawNumber("1.0") })).toBe(`{"a":1}`);
  });

  it("a change elsewhere in the document leaves them alone", () => {
    const document = parseJson(`{"id":9007199254740993,"name":"a"}`) as Record<string, unknown>;
    expect(writeJson({ ...document, name: "b" })).toBe(`{"id":9007199254740993,"name":"b"}`);
  });

  it("what is no JSON is refused, also where marking would make it JSON", () => {
    for (const text of [`{1.0: 2}`, `{"a": 01}`, `[1.]`, `{"a": 9007199254740993`, ``, `1.0.0`]) expect(() => parseJson(text), text).toThrow();
  });

  it("typed text is a number as soon as it is one", () => {
    expect(numberOf("12")).toBe(12);
    expect(numberOf("9007199254740993")).toEqual(new RawNumber("9007199254740993"));
    expect([numberOf("1."), numberOf(""), numberOf("01"), numberOf("x"), numberOf("--1")]).toEqual([undefined, undefined, undefined, undefined, undefined]);
  });

  it("a text of megabytes full of escapes is one string", () => {
    const text = JSON.stringify({ big: `"\\n1.0 `.repeat(400_000), n: 1 }).replace(/1}$/, "1.0}");
    expect(writeJson(parseJson(text))).toBe(text);
  });

  it("a large document is read and written in a moment", () => {
    const text = `[${Array.from({ length: 20_000 }, (_, index) => `{"id":"s${index}","n":${index},"seed":9007199254740993}`).join(",")}]`;
    expect(writeJson(parseJson(text))).toBe(text);
  });
});
