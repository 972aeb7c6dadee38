import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { curlOfHttp, curlOfModelCall, quote } from "./curl";

describe("quote", () => {
  it.each(["plain", "two words", "it's", "a'b'c", '"$HOME" `id` $(id) \\ !', "line\nbreak", "日本語", "", "-n"])(
    "gives the shell back %j",
    (text) => expect(execFileSync("sh", ["-c", `printf %s ${quote(text) || "''"}`]).toString()).toBe(text === "-n" ? "-n" : text),
  );
});

it("writes what OpenAI and Anthropic get", () => {
  const call = {
    messages: [
      { role: "system", content: "Be brief" },
      { role: "user", content: "It's $5" },
    ],
    parameters: { temperature: 0, stop: ["END"] },
  };
  const openai = curlOfModelCall(call, { provider: "openai", model: "gpt-4o-mini" });
  expect(openai).toContain("/chat/completions");
  expect(openai).toContain(`"messages":[{"role":"system"`);
  expect(openai).toContain(`It'\\''s $5`);
  const anthropic = curlOfModelCall(call, { provider: "anthropic", model: "claude-3-5-sonnet" });
  expect(anthropic).toContain(`"system":"Be brief","messages":[{"role":"user"`);
  expect(anthropic).toContain(`"stop_sequences":["END"]`);
  expect(curlOfModelCall(call, { provider: "other", model: "m" })).toBeNull();
});

it("writes what an http tool sends", () => {
  expect(curlOfHttp({ url: "http://localhost/a?b=c&d", method: "post", headers: { "x-a": "1 2" }, body: { a: 1 } })).toBe(
    `curl 'http://localhost/a?b=c&d' \\\n  -X POST \\\n  -H 'x-a: 1 2' \\\n  -d '{"a":1}'`,
  );
  expect(curlOfHttp({ tool: "echo" })).toBeNull();
});
