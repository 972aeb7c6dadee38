/**
 * JSON whose numbers stay as they were written. A double keeps neither `9007199254740993` nor the point in `1.0`; such a
 * literal becomes a {@link RawNumber}, and is written out again as it came.
 */

export class RawNumber {
  constructor(readonly literal: string) {}

  /** For whoever writes it with `JSON.stringify`: the nearest number. */
  toJSON(): number {
    return Number(this.literal);
  }

  toString(): string {
    return this.literal;
  }
}

/** The number that a value is, or is nearest to. */
export function numberIn(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  return value instanceof RawNumber ? Number(value.literal) : undefined;
}

/** Strings, so that digits in them are passed over, and numbers. */
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g;

const keeps = (literal: string) => String(Number(literal)) === literal;

/** A number as it is written; `undefined` for other text. */
export function numberOf(text: string): number | RawNumber | undefined {
  if (!/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return undefined;
  if (keeps(text)) return Number(text);
  return new RawNumber(text);
}

// No document can know it, so that no string of a document is taken for a number.
const MARK = `\u0000${Math.random()} ${Math.random()} `;

/** As `JSON.parse`, also in what it refuses. */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  let raw = false;
  const marked = text.replaceAll(TOKENS, (token) => {
    if (token.startsWith('"') || keeps(token)) return token;
    raw = true;
    return JSON.stringify(MARK + token);
  });
  if (!raw) return value;
  return JSON.parse(marked, (_name, each: unknown) => (typeof each === "string" && each.startsWith(MARK) ? new RawNumber(each.slice(MARK.length)) : each));
}

/** As `JSON.stringify`, with the numbers as they came. */
export function writeJson(value: unknown, indent?: number): string {
  let raw = false;
  const text = JSON.stringify(
    value,
    function (this: Record<string, unknown>, name, each: unknown) {
      // By then `toJSON` was called, so that the value itself is looked up.
      const own = this[name];
      if (!(own instanceof RawNumber)) return each;
      raw = true;
      return MARK + own.literal;
    },
    indent,
  );
  // `JSON.stringify(undefined)` is no text, whatever its type says.
  if (!raw) return text;
  return text.replaceAll(new RegExp(`${JSON.stringify(MARK).slice(0, -1).replaceAll("\\", "\\\\")}([^"]*)"`, "g"), "$1");
}
