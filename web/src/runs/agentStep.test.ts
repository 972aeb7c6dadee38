import { expect, test } from "vitest";
import { agentNote } from "./agentStep";

const call = (name: string) => ({ id: "1", name, arguments: { page: 3 } });
test.each([
  ["llm", "a[0]/model", null, { text: "Let me see.", tool_calls: [call("look_up")] }, "calls look_up"],
  ["llm", "a[0]/model", null, { text: "", tool_calls: [call("a"), call("b"), call("c")] }, "calls 3 tools"],
  ["llm", "a[9]/model", null, { text: "On its way.", tool_calls: [] }, "answers"],
  ["llm", "a[9]/model", null, '{"text": "cut', undefined],
  ["tool", "a[0]/tools[0]/call", { call: call("look_up") }, null, "look_up"],
  ["tool", "each[0]/store", { call: 3 }, null, undefined],
  ["llm", "draft", null, { tool_calls: [] }, undefined],
])("%s at %s", (node_type, step_id, input, output, text) => expect(agentNote({ node_type, step_id, input, output })?.text).toBe(text));
