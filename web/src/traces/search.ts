import { SINCE, type Since, type TraceList } from "@/api/traces";
import type { TraceStatus } from "@/api/types";

export const STATUSES: readonly TraceStatus[] = ["ok", "failed", "running"];
export const KINDS = ["workflow", "task", "agent", "tool", "llm", "embedding", "retrieval", "span"] as const;
export const SORTS = {
  newest: "Latest arrival",
  "-started_at": "Latest start",
  started_at: "Earliest start",
  "-duration": "Longest",
  duration: "Shortest",
  "-cost": "Most expensive",
  cost: "Cheapest",
  "-tokens": "Most tokens",
  tokens: "Fewest tokens",
} as const;
export type Sort = keyof typeof SORTS;

/** Filters that are words, by their names in the URL; the API's names are in {@link listOf}. */
export const WORDS = ["model", "provider", "user", "session", "environment", "tag", "name", "workflow", "service", "prompt", "version", "score"] as const;
export type Word = (typeof WORDS)[number];

/** Filters that are numbers: seconds, dollars, tokens, and the value of the score that `score` names. */
export const RANGES = ["seconds", "cost", "tokens", "value"] as const;
export type Range = (typeof RANGES)[number];
export type Bound = `${Range}_from` | `${Range}_to`;
const BOUNDS = RANGES.flatMap((range) => [`${range}_from`, `${range}_to`] as const);

export interface TracesSearch extends Partial<Record<Word | Bound, string>> {
  since?: Since;
  /** RFC 3339; `since` goes before them. */
  from?: string;
  to?: string;
  status?: TraceStatus;
  kind?: (typeof KINDS)[number];
  /** A JSON object of keys and the texts of their values. */
  metadata?: string;
  pinned?: "true";
  /** Text of prompts and answers. */
  q?: string;
  sort?: Sort;
  /** "1": what arrives is shown at once. */
  live?: "1";
}

const text = (value: unknown) => (typeof value === "string" && value.trim() !== "" ? value : undefined);
const oneOf = <T extends string>(value: unknown, all: readonly T[]) => all.find((each) => each === value);
const time = (value: unknown) => (typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value) && !Number.isNaN(Date.parse(value)) ? value : undefined);

/** A number that is written out; only the value of a score can be below 0. */
export function numberText(value: unknown, negative: boolean): string | undefined {
  const given = text(value)?.trim();
  const number = given === undefined ? NaN : Number(given);
  return Number.isFinite(number) && (negative || number >= 0) && Math.abs(number) < 1e15 ? given : undefined;
}

export function tracesSearch(search: Record<string, unknown>): TracesSearch {
  const sort = oneOf(search.sort, Object.keys(SORTS) as Sort[]);
  const since = oneOf(search.since, Object.keys(SINCE) as Since[]);
  const pairs = metadataOf(search.metadata);
  const found: TracesSearch = {
    since,
    from: since ? undefined : time(search.from),
    to: since ? undefined : time(search.to),
    status: oneOf(search.status, STATUSES),
    kind: oneOf(search.kind, KINDS),
    metadata: pairs.length > 0 ? metadataText(pairs) : undefined,
    pinned: search.pinned === "true" ? "true" : undefined,
    q: text(search.q),
    sort: sort === "newest" ? undefined : sort,
    live: search.live === "1" ? "1" : undefined,
  };
  for (const word of WORDS) found[word] = text(search[word]);
  // The API refuses the value of a score that has no name.
  for (const bound of BOUNDS) found[bound] = bound.startsWith("value_") && !found.score ? undefined : numberText(search[bound], bound.startsWith("value_"));
  return found;
}

/** The keys and values that are asked for; none if it is no JSON object. */
export function metadataOf(value: unknown): [string, string][] {
  try {
    const read: unknown = JSON.parse(typeof value === "string" ? value : "");
    if (typeof read !== "object" || read === null || Array.isArray(read)) return [];
    return Object.entries(read).map(([key, each]) => [key, typeof each === "string" ? each : JSON.stringify(each)]);
  } catch {
    return [];
  }
}

export const metadataText = (pairs: readonly [string, string][]) => (pairs.length === 0 ? undefined : JSON.stringify(Object.fromEntries(pairs)));

/** What the API is asked for. */
export function listOf(search: TracesSearch): TraceList {
  const { user, session, since, from, to, status, kind, metadata, q, sort, model, provider, environment, tag, name, workflow, service, prompt, version, score } = search;
  const number = (bound: Bound, unit = 1) => (search[bound] === undefined ? undefined : Number(search[bound]) * unit);
  const whole = (bound: Bound, unit = 1) => {
    const value = number(bound, unit);
    return value === undefined ? undefined : Math.round(value);
  };
  return given({
    ...{ since, from, to, status, kind, metadata, q, sort, model, provider, environment, tag, name, workflow, service, prompt, score },
    prompt_version: version,
    user_id: user,
    session_id: session,
    pinned: search.pinned === "true" ? true : undefined,
    min_duration_ms: number("seconds_from", 1000),
    max_duration_ms: number("seconds_to", 1000),
    min_cost_nanousd: whole("cost_from", 1e9),
    max_cost_nanousd: whole("cost_to", 1e9),
    min_tokens: whole("tokens_from"),
    max_tokens: whole("tokens_to"),
    min_score: number("value_from"),
    max_score: number("value_to"),
  });
}

/** The rows of all pages: one that changed between the reading of two pages may be on both. */
export const distinct = <T>(rows: T[], keyOf: (row: T) => string): T[] => [...new Map(rows.map((row) => [keyOf(row), row])).values()];

export function given<T extends object>(search: T): T {
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

export const SESSION_SORTS = {
  newest: "Last active",
  "-started_at": "Latest start",
  started_at: "Earliest start",
  "-cost": "Most expensive",
  cost: "Cheapest",
  "-tokens": "Most tokens",
  tokens: "Fewest tokens",
  "-traces": "Most traces",
  traces: "Fewest traces",
} as const;
export type SessionSort = keyof typeof SESSION_SORTS;

export interface SessionsSearch {
  /** A part of the name of a session or a user. */
  q?: string;
  status?: "ok" | "failed";
  user?: string;
  sort?: SessionSort;
}

export function sessionsSearch(search: Record<string, unknown>): SessionsSearch {
  const sort = oneOf(search.sort, Object.keys(SESSION_SORTS) as SessionSort[]);
  return {
    q: text(search.q),
    status: oneOf(search.status, ["ok", "failed"] as const),
    user: text(search.user),
    sort: sort === "newest" ? undefined : sort,
  };
}
