import { expect, it } from "vitest";
import { SseParser } from "./sse";

const stream = 'id: 1\nevent: trace\ndata: {"a":1}\n\n: still here\n\nevent: delta\r\ndata: one\r\ndata:two\r\n\r\nevent: end\rdata: x\r\rdata: after\n\n';
const expected = [
  { event: "trace", data: '{"a":1}', id: "1" },
  { event: "delta", data: "one\ntwo", id: undefined },
  { event: "end", data: "x", id: undefined },
  { event: "message", data: "after", id: undefined },
];

it("reads a stream in one piece", () => expect(new SseParser().push(stream)).toEqual(expected));

it("reads the same stream cut at every place", () => {
  for (let cut = 0; cut <= stream.length; cut++) {
    const parser = new SseParser();
    expect([...parser.push(stream.slice(0, cut)), ...parser.push(stream.slice(cut))], `cut at ${cut}`).toEqual(expected);
  }
});

it("reads it character by character", () => {
  const parser = new SseParser();
  expect([...stream].flatMap((character) => parser.push(character))).toEqual(expected);
});
