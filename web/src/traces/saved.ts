import { filtersOf, tracesSearch, type TracesSearch } from "./search";

/** A filter under a name, kept in this browser. */
export interface Saved {
  name: string;
  search: TracesSearch;
}

const KEY = "flowtrace:trace-filters";
const MOST = 50;

/** What is in the storage may be of another version, or of anybody. */
export function readSaved(text: string | null): Saved[] {
  let all: unknown;
  try {
    all = JSON.parse(text ?? "[]");
  } catch {
    return [];
  }
  if (!Array.isArray(all)) return [];
  return all.slice(0, MOST).flatMap((each: unknown) => {
    const { name, search } = (each ?? {}) as { name?: unknown; search?: unknown };
    if (typeof name !== "string" || name === "" || typeof search !== "object" || search === null) return [];
    return [{ name, search: filtersOf(tracesSearch(search as Record<string, unknown>)) }];
  });
}

/** One with the same name is replaced; the latest comes first. */
export function withSaved(all: readonly Saved[], saved: Saved): Saved[] {
  return [saved, ...all.filter((each) => each.name !== saved.name)].slice(0, MOST);
}

const words = (search: TracesSearch) => JSON.stringify(Object.entries(filtersOf(search)).sort(([a], [b]) => (a < b ? -1 : 1)));

export const isSame = (a: TracesSearch, b: TracesSearch) => words(a) === words(b);

export function loadSaved(): Saved[] {
  try {
    return readSaved(localStorage.getItem(KEY));
  } catch {
    return [];
  }
}

/** Whether it could be kept. */
export function storeSaved(all: readonly Saved[]): boolean {
  try {
    localStorage.setItem(KEY, JSON.stringify(all));
    return true;
  } catch {
    return false;
  }
}
