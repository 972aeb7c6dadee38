import type { TraceSummary } from "@/api/types";

/** Pages as the list has them. */
export interface Pages<P extends { traces: TraceSummary[] }> {
  pages: P[];
  pageParams: unknown[];
}

/** Above this many new rows on the first page the list is read again instead: a tab may be open for days. */
export const MOST_LIVE = 500;

/**
 * The list with what arrived: a trace that is there changes in its place, a new one comes first. `null` if too much is new.
 *
 * @param arrived earliest first; of one trace the last word counts
 */
export function merge<P extends { traces: TraceSummary[] }>(list: Pages<P>, arrived: readonly TraceSummary[]): Pages<P> | null {
  const fresh = new Map<string, TraceSummary>();
  for (const trace of arrived) {
    fresh.delete(trace.trace_id);
    fresh.set(trace.trace_id, trace);
  }
  const pages = list.pages.map((page) => {
    if (!page.traces.some((trace) => fresh.has(trace.trace_id))) return page;
    const traces = page.traces.map((trace) => {
      const now = fresh.get(trace.trace_id);
      fresh.delete(trace.trace_id);
      return now ?? trace;
    });
    return { ...page, traces };
  });
  const [first, ...rest] = pages;
  if (!first) return null;
  if (fresh.size === 0) return { ...list, pages };
  if (first.traces.length + fresh.size > MOST_LIVE) return null;
  return { ...list, pages: [{ ...first, traces: [...[...fresh.values()].reverse(), ...first.traces] }, ...rest] };
}
