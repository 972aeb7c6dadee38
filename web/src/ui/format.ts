/** Numbers as text. They tell the truth: no rounding to "<$0.01", and `—` for what is not known. */

export const UNKNOWN = "—";

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

export function count(value: number | null | undefined): string {
  return value == null ? UNKNOWN : grouped.format(value);
}

/**
 * Nano-dollars as dollars, exact to the nano-dollar: at least six decimals below a dollar (cents alone say nothing about one
 * call), two from a dollar on, more where there are more.
 */
export function usd(nanousd: number | null | undefined): string {
  if (nanousd == null) return UNKNOWN;
  const sign = nanousd < 0 ? "-" : "";
  const whole = Math.abs(Math.round(nanousd));
  const dollars = Math.floor(whole / 1e9);
  const decimals = String(whole % 1e9).padStart(9, "0");
  const least = whole === 0 ? 0 : dollars > 0 ? 2 : 6;
  let shown = decimals.replace(/0+$/, "");
  if (shown.length < least) shown = decimals.slice(0, least);
  return `${sign}$${grouped.format(dollars)}${shown ? `.${shown}` : ""}`;
}

/** A price of pico-dollars per token as dollars per million tokens, as price lists print it. */
export function usdPerMillion(picousdPerToken: number): string {
  const dollars = picousdPerToken / 1e6;
  const text = dollars.toFixed(6).replace(/0+$/, "").replace(/\.$/, "");
  const [whole = "0", decimals = ""] = text.split(".");
  return `$${whole}.${decimals.padEnd(2, "0")} / M`;
}

/** Milliseconds, with three significant figures: `0.42 ms`, `87 ms`, `1.42 s`, `3 min 05 s`, `2 h 04 min`. */
export function duration(ms: number | null | undefined): string {
  if (ms == null || !Number.isFinite(ms)) return UNKNOWN;
  if (ms < 0) return `-${duration(-ms)}`;
  if (ms < 9.995) return `${trim(ms.toFixed(2))} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const total = Math.round(seconds);
  if (total < 3600) return `${Math.floor(total / 60)} min ${String(total % 60).padStart(2, "0")} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
  return `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`;
}

function trim(text: string): string {
  return text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text;
}

export function bytes(value: number | null | undefined): string {
  if (value == null) return UNKNOWN;
  if (value < 1000) return `${value} B`;
  if (value < 999_500) return `${(value / 1000).toFixed(value < 9_950 ? 1 : 0)} kB`;
  if (value < 999.5e6) return `${(value / 1e6).toFixed(value < 9.95e6 ? 1 : 0)} MB`;
  return `${(value / 1e9).toFixed(value < 9.95e9 ? 1 : 0)} GB`;
}

/** How long ago, roughly; the exact time belongs into the title. */
export function ago(then: string | number | Date, now: number): string {
  const seconds = Math.max(0, (now - new Date(then).getTime()) / 1000);
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/** The exact local time with its zone, for titles. */
export function exactTime(then: string | number | Date): string {
  return new Intl.DateTimeFormat("en-GB", {
    year: "numeric",
    month: "short",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    fractionalSecondDigits: 3,
    timeZoneName: "short",
  }).format(new Date(then));
}

/** The start of an id, enough to tell two apart. UUIDv7 begins with its time, so the end tells more. */
export function shortId(id: string): string {
  return id.length > 12 ? `…${id.slice(-8)}` : id;
}

export function firstLine(text: string): string {
  const line = text.trimStart().split("\n", 1)[0] ?? "";
  return line.trimEnd();
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}
