import { expect, it } from "vitest";
import { graphOf, inputsRead, inputValue } from "./document";

it("finds what a document reads from its input, once each, wherever it stands", () => {
  const document = {
    nodes: [
      { id: "a", config: { prompt: "Summarise {{ input.topic }} for {{input['the reader']}}" } },
      { id: "b", inputs: { x: "{{ input.topic | upper }}", y: ["{% if input.deep %}{{ node.a.output }}{% endif %}"] } },
    ],
  };
  expect(inputsRead(document)).toEqual(["topic", "the reader", "deep"]);
  expect(inputsRead(JSON.stringify(document))).toEqual(["topic", "the reader", "deep"]);
});

it("takes neither plain text nor another object's `input` for a reference", () => {
  expect(inputsRead({ prompt: "say input.topic", other: "{{ node.input.x }} {{ my_input.y }} {{ node['a'].input.z }}" })).toEqual([]);
});

it("survives documents of any shape", () => {
  expect(graphOf(null)).toEqual({ nodes: [], edges: [] });
  expect(graphOf("{nonsense")).toEqual({ nodes: [], edges: [] });
  expect(graphOf({ nodes: [null, 1, { id: "a" }], edges: {} })).toEqual({ nodes: [{ id: "a" }], edges: [] });
});

it.each([
  ["12", 12],
  ["true", true],
  ['["a"]', ["a"]],
  ['{"a":1}', { a: 1 }],
  ["12 apples", "12 apples"],
  ["hello", "hello"],
  ["", ""],
  ["{not json", "{not json"],
])("reads %s as a value", (text, value) => expect(inputValue(text)).toEqual(value));
