import { describe, expect, it } from "vitest";
import { replayOf } from "./spanDraft";

const draft = { provider: "openai", model: "m", system: "", messages: [{ role: "user" as const, content: "Hi" }], parameters: '{"temperature": 0}' };

describe("the replay of a model call", () => {
  it("says what is in the form, without empty messages", () => {
    const made = replayOf({ ...draft, messages: [{ role: "assistant", content: " \n" }, ...draft.messages] });
    expect(made).toEqual({ body: { provider: "openai", model: "m", system: "", messages: draft.messages, parameters: { temperature: 0 } } });
    expect(replayOf({ ...draft, parameters: " " })).toMatchObject({ body: { parameters: {} } });
  });

  it("says what is wrong with the parameters", () => {
    expect(replayOf({ ...draft, parameters: "{" }).error).toMatch(/^Parameters: /);
    expect(replayOf({ ...draft, parameters: "[1]" }).error).toBe("Parameters: this has to be an object, { … }.");
  });
});
