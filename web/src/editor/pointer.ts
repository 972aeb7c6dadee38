import { RawNumber } from "@/api/lossless";

/** JSON Pointers (RFC 6901), and immutable changes of JSON values by them. */

export type Segments = readonly (string | number)[];

export function toPointer(segments: Segments): string {
  return segments.map((segment) => `/${String(segment).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

export function fromPointer(pointer: string): string[] {
  return pointer === "" ? [] : pointer.slice(1).split("/").map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** Whether `pointer` is at `place` or below it. */
export function within(pointer: string, place: string): boolean {
  return pointer === place || pointer.startsWith(`${place}/`);
}

export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof RawNumber);
}

export function getIn(value: unknown, segments: Segments): unknown {
  let at = value;
  for (const segment of segments) {
    if (Array.isArray(at)) at = at[Number(segment)];
    else if (isObject(at) && Object.hasOwn(at, segment)) at = at[segment];
    else return undefined;
  }
  return at;
}

/** A copy with `next` at the place; `undefined` takes the property or the item away. Missing objects on the way are made. */
export function setIn(value: unknown, segments: Segments, next: unknown): unknown {
  const [head, ...rest] = segments;
  if (head === undefined) return next;
  if (Array.isArray(value)) {
    const index = Number(head);
    const changed = setIn(value[index], rest, next);
    return changed === undefined ? value.toSpliced(index, 1) : index >= value.length ? [...value, changed] : value.with(index, changed);
  }
  const object = isObject(value) ? value : {};
  const inner = Object.hasOwn(object, head) ? object[head] : undefined;
  if (next === undefined && inner === undefined) return value;
  const changed = setIn(inner, rest, next);
  if (changed === undefined) return Object.fromEntries(Object.entries(object).filter(([name]) => name !== String(head)));
  return { ...object, [head]: changed };
}

/** Structural equality of JSON values; the order of properties does not count. */
export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (a instanceof RawNumber && b instanceof RawNumber) return a.literal === b.literal;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, index) => same(item, b[index]));
  if (!isObject(a) || !isObject(b)) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && same(a[name], b[name]));
}
