import type { Catalog, Retention } from "@/api/types";
import { describe, expect, it } from "vitest";
import { daysText, keyOrigin, parseDays, removalText, secretNameProblem, secretValueProblem, sourceText, variableOf } from "./rules";

it.each([
  ["crm-key", false],
  ["OPENAI_API_KEY", false],
  ["_a.b-9", false],
  ["", false],
  ["-a", true],
  [".a", true],
  ["a b", true],
  ["a/b", true],
  ["ä", true],
  ["a".repeat(100), false],
  ["a".repeat(101), true],
])("the name %s is refused: %s", (name, refused) => expect(secretNameProblem(name) !== undefined).toBe(refused));

it("counts the bytes of a value, not its characters", () => {
  expect(secretValueProblem("x".repeat(65_536))).toBeUndefined();
  expect(secretValueProblem("ü".repeat(32_769))).toContain("65538 bytes");
});

it("names the variable as the server does", () => expect(variableOf("github.com-key")).toBe("FLOWTRACE_SECRET_GITHUB_COM_KEY"));

describe("where a key comes from", () => {
  const provider = (rest: Partial<Catalog["providers"][number]>) => ({ name: "openai", configured: true, simulated: false, key_name: "OPENAI_API_KEY", key_source: null, ...rest });
  it.each([
    [provider({ key_source: "environment" }), "key from the environment: OPENAI_API_KEY"],
    [provider({ key_source: "secret" }), "key from the secret OPENAI_API_KEY"],
    [provider({ configured: false }), "set OPENAI_API_KEY as a secret, or in the environment"],
    [provider({}), "without a key: OPENAI_API_KEY is not set"],
    [provider({ key_name: null }), "no key is sent"],
    [provider({ simulated: true, key_source: "environment" }), "simulated: no key is used"],
  ])("%o", (given, text) => expect(keyOrigin(given)).toBe(text));
});

it.each([
  ["30", { days: 30 }],
  [" 1 ", { days: 1 }],
  ["36500", { days: 36_500 }],
])("takes %s days", (text, read) => expect(parseDays(text)).toEqual(read));

it.each(["", "0", "-3", "1.5", "36501", "many", "1e9"])("refuses %s days", (text) => expect(parseDays(text)).toHaveProperty("error"));

describe("retention in words", () => {
  const retention = (rest: Partial<Retention>): Retention => ({
    days: 190,
    source: "default",
    file_days: null,
    default_days: 190,
    traces: 1,
    pinned_traces: 0,
    bytes: 1,
    oldest_at: null,
    would_remove: null,
    ...rest,
  });
  it("says who decided", () => {
    expect(sourceText(retention({}))).toBe("the default");
    expect(sourceText(retention({ source: "file", file_days: 190 }))).toBe("as the configuration file says");
    expect(sourceText(retention({ source: "settings", days: 7 }))).toBe("set here; the default is 190 days");
    expect(sourceText(retention({ source: "settings", days: 7, file_days: 0 }))).toBe("set here; the configuration file says for ever, which does not count");
    expect(sourceText(retention({ source: "settings", days: 7, file_days: 7 }))).toBe("set here, and in the configuration file");
    expect(daysText(1)).toBe("1 day");
  });
  it("says what goes, and nothing if nothing does", () => {
    const gone = { before: "2026-10-05T00:00:00.000000Z", traces: 1234, bytes: 2_340_000_000, pinned_traces: 0 };
    expect(removalText(gone)).toBe("1,234 traces that came before 5 Oct 2026 (UTC), about 2.3 GB, will go within moments, for good.");
    expect(removalText({ ...gone, traces: 1, pinned_traces: 2 })).toContain("1 trace that came before");
    expect(removalText({ ...gone, pinned_traces: 2 })).toContain("2 pinned traces from that time stay.");
    expect(removalText({ ...gone, before: null })).toBeUndefined();
  });
});
