import type { Step } from "@/api/types";
import { expect, it } from "vitest";
import { treeRows } from "./tree";

const steps = ["plan", "review", "review[1]/critic", "review[2]/critic", "review[2]/writer", "end"].map((step_id) => ({ step_id }) as Step);
const shape = (closed: string[] = []) => treeRows(steps, new Set(closed)).map(({ label, depth, step }) => `${"  ".repeat(depth)}${label}${step ? "" : " -"}`);

it("puts steps under the parts of their paths", () => {
  expect(shape()).toEqual(["plan", "review", "  [1] -", "    critic", "  [2] -", "    critic", "    writer", "end"]);
});

it("leaves out what is closed", () => {
  expect(shape(["review"])).toEqual(["plan", "review", "end"]);
  expect(shape(["review[2]"])).toEqual(["plan", "review", "  [1] -", "    critic", "  [2] -", "end"]);
});
