import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, type SessionFilter, type TraceFilter } from "./client";

/** The last part of a time, in milliseconds. */
export const SINCE = { "15m": 900_000, "1h": 3_600_000, "24h": 86_400_000, "7d": 604_800_000, "30d": 2_592_000_000 } as const;
export type Since = keyof typeof SINCE;

/** Which traces a list shows. `since` is counted back from the moment of reading, and then goes before `from`. */
export type TraceList = TraceFilter & { since?: Since; sort?: string };

export const traceKeys = {
  lists: ["traces"] as const,
  list: (list: TraceList) => ["traces", list] as const,
  trace: (id: string) => ["foreign-trace", id] as const,
  session: (id: string) => ["session", id] as const,
  sessions: (list: SessionList) => ["sessions", list] as const,
  unpriced: ["unpriced"] as const,
};

/** Where a page goes on. All pages of a list count back from the same moment. */
interface Place {
  cursor?: string;
  from?: string;
}

/** The filter as the API takes it. */
export function filterOf({ since, ...list }: TraceList, now: number): TraceFilter {
  const filter: TraceFilter & { sort?: string } = { ...list, from: since ? new Date(now - SINCE[since]).toISOString() : list.from };
  delete filter.sort;
  return filter;
}

export const tracesQuery = (list: TraceList) =>
  infiniteQueryOptions({
    queryKey: traceKeys.list(list),
    queryFn: async ({ pageParam, signal }) => {
      const filter = filterOf(list, Date.now());
      const from = pageParam.from ?? filter.from;
      const page = await api.traces({ ...filter, from, sort: list.sort, limit: 100, cursor: pageParam.cursor }, signal);
      return { ...page, from };
    },
    initialPageParam: {} as Place,
    getNextPageParam: (page): Place | undefined => (page.next_cursor ? { cursor: page.next_cursor, from: page.from } : undefined),
  });

/** All spans of a trace, without what only one of them is opened for. */
export const traceSpansQuery = (id: string) =>
  queryOptions({
    queryKey: traceKeys.trace(id),
    queryFn: ({ signal }) => api.traceSpans(id, signal),
    structuralSharing: false,
  });

export const spanQuery = (trace: string, span: string) =>
  queryOptions({ queryKey: [...traceKeys.trace(trace), span], queryFn: ({ signal }) => api.span(trace, span, signal) });

/** Models whose calls are missing in the cost. */
export const unpricedQuery = queryOptions({ queryKey: traceKeys.unpriced, queryFn: ({ signal }) => api.unpriced(signal), staleTime: 60_000 });

export type SessionList = Omit<SessionFilter, "cursor" | "limit">;

export const sessionsQuery = (list: SessionList) =>
  infiniteQueryOptions({
    queryKey: traceKeys.sessions(list),
    queryFn: ({ pageParam, signal }) => api.traceSessions({ ...list, cursor: pageParam, limit: 100 }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });

export const sessionQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: traceKeys.session(id),
    queryFn: ({ pageParam, signal }) => api.traceSession(id, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
