import { describe, expect, it } from "vitest";
import { labelOf, readLanguage, starting } from "./language";
import { arrange } from "@/nodes/graph/arrange";
import { differences } from "./compare";
import { levelAt } from "./graph";
import { placesOf } from "./places";
import { nearestStep } from "./steer";
import { newStep } from "./starter";

const schema = {
  $defs: { graph: { type: "object", properties: { entry: {}, nodes: { type: "array" }, edges: { type: "array" } } } },
  properties: {
    nodes: {
      items: {
        properties: { type: { enum: ["llm", "shiny"] } },
        allOf: [
          { if: { properties: { type: { const: "llm" } } }, then: { properties: { config: { description: "`config` of an `llm` node: one call.", properties: {} } } } },
          {
            if: { properties: { type: { const: "shiny" } } },
            then: {
              properties: {
                config: {
                  description: "`config` of a `shiny` node: shines.",
                  required: ["mode", "count", "body", "text"],
                  properties: { mode: { enum: ["on", "off"] }, count: { type: "integer", minimum: 3 }, body: { $ref: "#/$defs/graph" }, text: { anyOf: [{ type: "string" }, { type: "null" }] }, other: { type: "string" } },
                },
              },
            },
          },
        ],
      },
    },
    edges: { items: {} },
  },
};

describe("the language as it is served", () => {
  const language = readLanguage(schema);
  it("brings kinds that nobody here has heard of", () => {
    expect(language.kinds.map(({ type, description }) => [type, description])).toEqual([["llm", "One call."], ["shiny", "Shines."]]);
  });
  it("says what a new step needs", () => {
    expect(newStep({ key: "shiny", type: "shiny", label: "Shiny", description: "" }, language, undefined, "a", (id) => id)).toEqual({
      type: "shiny",
      config: { mode: "on", count: 3, body: { entry: "", nodes: [], edges: [] }, text: "" },
    });
    expect(starting({ type: ["boolean", "null"] }, language)).toBe(false);
  });
  it("survives any answer", () => expect(readLanguage(null).kinds).toEqual([]));
  it("makes labels of names", () => expect(["maxTokens", "timeoutSeconds", "initialMs", "url", "schema"].map(labelOf)).toEqual(["Max tokens", "Timeout (s)", "Initial (ms)", "URL", "Schema"]));
});

describe("places", () => {
  const wide = Array.from({ length: 30 }, (_, index) => `n${index}`);
  it("layers go down, and are turned where they would be too wide", () => {
    const chain = arrange({ nodes: ["a", "b"], edges: [["a", "b", false], ["b", "gone", false], ["b", "b", false]] });
    const [a, b] = chain.places.map(([, place]) => place);
    expect(chain.direction).toBe("down");
    expect(b?.y).toBeGreaterThan(a?.y ?? Infinity);
    expect(arrange({ nodes: ["s", ...wide], edges: wide.map((id) => ["s", id, false]) }).direction).toBe("right");
    expect(arrange({ nodes: [], edges: [] }).places).toEqual([]);
  });
  it("siblings stand in the order of the document", () => {
    const ids = ["a", "b", "c"];
    const across = new Map(arrange({ nodes: ["s", ...ids, "e"], edges: [...ids.map((id): [string, string, boolean] => ["s", id, false]), ...ids.map((id): [string, string, boolean] => [id, "e", false])] }).places);
    expect(ids.map((id) => across.get(id)?.x)).toEqual(ids.map((id) => across.get(id)?.x).toSorted((a = 0, b = 0) => a - b));
  });
  it("a step that nobody has placed stands below what leads to it, on no other", () => {
    const at = (x: number, y: number) => ({ position: { x, y } });
    const level = levelAt({ nodes: [{ id: "a", ui: at(0, 0) }, { id: "b", ui: at(0, 96) }, { id: "c" }, { id: "d" }], edges: [{ from: "a", to: "b" }, { from: "a", to: "c" }, { from: "a", to: "d" }] }, []);
    const found = placesOf(level, null);
    const places = [...(found?.places.values() ?? [])];
    expect(places).toHaveLength(4);
    for (const one of places) for (const other of places) if (one !== other) expect(Math.abs(one.x - other.x) >= 208 || Math.abs(one.y - other.y) >= 48).toBe(true);
  });
  it("arrow keys reach the next step on their side", () => {
    const places = new Map([["a", { x: 0, y: 0 }], ["b", { x: 0, y: 100 }], ["c", { x: 300, y: 100 }]]);
    expect([nearestStep(places, "a", [0, 1]), nearestStep(places, "b", [1, 0]), nearestStep(places, "a", [0, -1])]).toEqual(["b", "c", undefined]);
  });
});

it("tells what differs, by step", () => {
  const mine = JSON.stringify({ entry: "a", nodes: [{ id: "a", type: "llm" }, { id: "b", type: "tool" }], edges: [] });
  const theirs = JSON.stringify({ nodes: [{ type: "llm", id: "a" }, { id: "c", type: "tool" }], edges: [{ from: "a", to: "c" }], entry: "a" });
  expect(differences(mine, theirs).map(({ about, mine: one, theirs: other }) => [about, one !== null, other !== null])).toEqual([["Step b", true, false], ["Step c", false, true], ["Edges", true, true]]);
  expect(differences(mine, mine)).toEqual([]);
  expect(differences("{", mine)).toHaveLength(1);
});
