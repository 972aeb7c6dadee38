import { SINCE, type Since, type TraceList } from "@/api/traces";
import type { TraceStatus } from "@/api/types";

export const STATUSES: readonly TraceStatus[] = ["ok", "failed", "running"];
export const KINDS = ["workflow", "task", "agent", "tool", "llm", "embedding", "retrieval", "span"] as const;
export const SORTS = { newest: "Latest arrival", "-started_at": "Latest start", "-duration": "Longest", "-cost": "Most expensive", "-tokens": "Most tokens" } as const;
export type Sort = keyof typeof SORTS;

/** Filters that are words, by their names in the URL; the API's names are in {@link listOf}. */
export const WORDS = ["model", "provider", "user", "session", "environment", "tag", "name"] as const;
export type Word = (typeof WORDS)[number];

export interface TracesSearch extends Partial<Record<Word, string>> {
  since?: Since;
  status?: TraceStatus;
  kind?: (typeof KINDS)[number];
  /** Text of prompts and answers. */
  q?: string;
  sort?: Sort;
  /** "1": what arrives is shown at once. */
  live?: "1";
}

const text = (value: unknown) => (typeof value === "string" && value.trim() !== "" ? value : undefined);
const oneOf = <T extends string>(value: unknown, all: readonly T[]) => all.find((each) => each === value);

export function tracesSearch(search: Record<string, unknown>): TracesSearch {
  const sort = oneOf(search.sort, Object.keys(SORTS) as Sort[]);
  const found: TracesSearch = {
    since: oneOf(search.since, Object.keys(SINCE) as Since[]),
    status: oneOf(search.status, STATUSES),
    kind: oneOf(search.kind, KINDS),
    q: text(search.q),
    sort: sort === "newest" ? undefined : sort,
    live: search.live === "1" ? "1" : undefined,
  };
  for (const word of WORDS) found[word] = text(search[word]);
  return found;
}

/** What the API is asked for. */
export function listOf({ user, session, ...rest }: TracesSearch): TraceList {
  return given({ ...rest, user_id: user, session_id: session, live: undefined });
}

function given<T extends object>(search: T): T {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as T;
}

/** Without the order and the live switch, which no saved filter is about. */
export function filtersOf(search: TracesSearch): TracesSearch {
  return given({ ...search, sort: undefined, live: undefined });
}

export const TRACE_VIEWS = ["timeline", "tree"] as const;
export type TraceView = (typeof TRACE_VIEWS)[number];

export interface TraceSearch {
  view?: TraceView;
  /** Absent: the first failing span opens by itself. Empty: the reader closed it. */
  span?: string;
  tab?: string;
}

export function traceSearch(search: Record<string, unknown>): TraceSearch {
  return {
    view: search.view === "tree" ? "tree" : undefined,
    span: typeof search.span === "string" ? search.span : undefined,
    tab: text(search.tab),
  };
}
