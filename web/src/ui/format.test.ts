import { describe, expect, it } from "vitest";
import { ago, bytes, duration, firstLine, plural, UNKNOWN, usd, usdPerMillion } from "./format";

describe("usd", () => {
  it.each([
    [0, "$0"],
    [1, "$0.000000001"],
    [270_000, "$0.000270"],
    [270_001, "$0.000270001"],
    [1_500_000_000, "$1.50"],
    [1_234_567_000_000, "$1,234.567"],
    [1_000_000_000, "$1.00"],
    [999_999_999, "$0.999999999"],
  ])("%d nano-dollars are %s", (nano, text) => expect(usd(nano)).toBe(text));

  it("says what it does not know", () => {
    expect(usd(null)).toBe(UNKNOWN);
    expect(usd(undefined)).toBe(UNKNOWN);
  });
});

it.each([
  [150_000, "$0.15 / M"],
  [2_500_000, "$2.50 / M"],
  [75_000, "$0.075 / M"],
  [15_000_000, "$15.00 / M"],
])("%d pico-dollars a token are %s", (pico, text) => expect(usdPerMillion(pico)).toBe(text));

describe("duration", () => {
  it.each([
    [0, "0 ms"],
    [0.42, "0.42 ms"],
    [9.99, "9.99 ms"],
    [9.999, "10 ms"],
    [87.4, "87 ms"],
    [999.4, "999 ms"],
    [999.6, "1.00 s"],
    [1420, "1.42 s"],
    [12_340, "12.3 s"],
    [59_960, "1 min 00 s"],
    [185_000, "3 min 05 s"],
    [7_440_000, "2 h 04 min"],
    [200_000_000, "2 d 7 h"],
  ])("%d ms is %s", (ms, text) => expect(duration(ms)).toBe(text));

  it("says what it does not know", () => expect(duration(undefined)).toBe(UNKNOWN));
});

it.each([
  [999, "999 B"],
  [1000, "1.0 kB"],
  [65_536, "66 kB"],
  [2_097_152, "2.1 MB"],
  [999_600_000, "1.0 GB"],
  [23_400_000_000, "23 GB"],
])("%d bytes are %s", (value, text) => expect(bytes(value)).toBe(text));

it("counts time backwards in one unit", () => {
  const now = Date.parse("2026-01-01T12:00:00Z");
  expect(ago("2026-01-01T11:59:58Z", now)).toBe("just now");
  expect(ago("2026-01-01T11:59:10Z", now)).toBe("50 s ago");
  expect(ago("2026-01-01T11:00:01Z", now)).toBe("59 min ago");
  expect(ago("2025-12-30T12:00:00Z", now)).toBe("2 d ago");
  expect(ago("2026-01-01T12:00:09Z", now)).toBe("just now");
});

it("takes the first line and the right plural", () => {
  expect(firstLine("\n  a problem\nand more")).toBe("a problem");
  expect(plural(1, "retry", "retries")).toBe("1 retry");
  expect(plural(1200, "step")).toBe("1,200 steps");
});
