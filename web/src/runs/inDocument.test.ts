import { expect, test } from "vitest";
import { inDocument } from "./inDocument";

const steps = [
  { step_id: "each", node_type: "map" },
  { step_id: "each[17]/review", node_type: "loop" },
  { step_id: "support", node_type: "agent" },
  { step_id: "sub", node_type: "workflow" },
  { step_id: "book", node_type: "tool" },
];

test.each([
  ["book", { node: "book" }],
  ["book/undo", { node: "book" }],
  ["each[17]/tidy", { node: "tidy", body: "each" }],
  ["each[17]/review[2]/critic", { node: "critic", body: "each.review" }],
  ["support[3]/tools[0]/call", { node: "support" }],
  ["sub[0]/read", { node: "sub" }],
])("%s", (path, expected) => {
  expect(inDocument(path, steps)).toEqual(expected);
});
