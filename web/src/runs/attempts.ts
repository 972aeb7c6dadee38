import type { TraceEvent } from "@/api/types";
import { errorText } from "./errorText";

/** One try of one call, as it is drawn: a bar. Times are milliseconds since the epoch. */
export interface Attempt {
  request: number;
  attempt: number;
  start: number;
  /** Absent while it is under way. */
  end?: number;
  outcome: "running" | "succeeded" | "failed" | "lost" | "cached" | "canceled";
  /** When the first token came. */
  firstToken?: number;
  provider?: string;
  model?: string;
  tool?: string;
  /** What made it fail. */
  error?: { code: string; message: string; status?: number };
  /** What it was asked and answered: the event's numbers in the journal. */
  requestSeq?: number;
  responseSeq?: number;
}

export type EventsByStep = ReadonlyMap<string, TraceEvent[]>;

/**
 * Groups a journal by its steps. Given a longer reading of the same journal, it adds what is new: the lists of steps to which
 * nothing happened stay the same objects, so that nothing that shows them is drawn again.
 */
export class StepEvents {
  private events: readonly TraceEvent[] = [];
  private map: EventsByStep = new Map();

  of(events: readonly TraceEvent[]): EventsByStep {
    if (events === this.events) return this.map;
    const known = this.events.length;
    const goesOn = known <= events.length && this.events.at(-1) === events[known - 1];
    const map = goesOn ? new Map(this.map) : new Map<string, TraceEvent[]>();
    // Lists made in this call are not shown anywhere yet and may grow in place.
    const own = new Set<TraceEvent[]>();
    for (let index = goesOn ? known : 0; index < events.length; index++) {
      const event = events[index];
      if (event?.step_id == null) continue;
      const list = map.get(event.step_id);
      if (list && own.has(list)) list.push(event);
      else {
        const grown = list ? [...list, event] : [event];
        own.add(grown);
        map.set(event.step_id, grown);
      }
    }
    this.events = events;
    this.map = map;
    return map;
  }
}

const ZERO = "0".charCodeAt(0);
let minute = "";
let minuteMs = 0;

/** Milliseconds since the epoch, with the microseconds that `Date` drops. Of times as the API writes them, mostly from the same minute. */
export function ms(ts: string): number {
  if (ts.length !== 27 || ts[26] !== "Z") return Date.parse(ts);
  const prefix = ts.slice(0, 16);
  if (prefix !== minute) {
    minute = prefix;
    minuteMs = Date.parse(`${prefix}:00Z`);
  }
  const digit = (at: number) => ts.charCodeAt(at) - ZERO;
  const seconds = digit(17) * 10 + digit(18);
  const micros = digit(20) * 100_000 + digit(21) * 10_000 + digit(22) * 1_000 + digit(23) * 100 + digit(24) * 10 + digit(25);
  return minuteMs + seconds * 1_000 + micros / 1_000;
}

const num = (value: unknown, fallback: number) => (typeof value === "number" ? value : fallback);
const str = (value: unknown) => (typeof value === "string" ? value : undefined);

function failure(value: unknown): Attempt["error"] {
  if (typeof value !== "object" || value === null) return undefined;
  const { code, message, status } = value as Record<string, unknown>;
  return { code: str(code) ?? "error", message: str(message) ?? "", status: typeof status === "number" ? status : undefined };
}

const NONE: Attempt[] = [];
const known = new WeakMap<readonly TraceEvent[], { runEnd: number | undefined; attempts: Attempt[] }>();

/** The attempts of one step, from its events in order. `runEnd` closes what a cancel left open. */
export function attemptsOf(events: readonly TraceEvent[] | undefined, runEnd?: number): Attempt[] {
  if (!events) return NONE;
  const before = known.get(events);
  if (before && before.runEnd === runEnd) return before.attempts;
  const attempts = readAttempts(events, runEnd);
  known.set(events, { runEnd, attempts });
  return attempts;
}

function readAttempts(events: readonly TraceEvent[], runEnd: number | undefined): Attempt[] {
  const attempts: Attempt[] = [];
  const open = () => {
    const last = attempts.at(-1);
    return last && last.end === undefined ? last : undefined;
  };
  const close = (event: TraceEvent, outcome: Attempt["outcome"], error?: unknown) => {
    const attempt = open();
    if (!attempt) return;
    attempt.end = ms(event.ts);
    attempt.outcome = outcome;
    if (error !== undefined) attempt.error = failure(error);
  };
  for (const event of events) {
    const { payload } = event;
    switch (event.kind) {
      case "llm.request":
      case "tool.request":
        close(event, "lost");
        attempts.push({
          request: num(payload.request, 1),
          attempt: num(payload.attempt, 1),
          start: ms(event.ts),
          outcome: "running",
          provider: str(payload.provider),
          model: str(payload.model),
          tool: str(payload.tool),
          requestSeq: event.seq,
        });
        break;
      case "llm.response":
      case "tool.response": {
        const attempt = open();
        if (!attempt) break;
        close(event, "succeeded");
        attempt.responseSeq = event.seq;
        if (typeof payload.first_token_ms === "number") {
          attempt.firstToken = Math.min(attempt.start + payload.first_token_ms, attempt.end ?? Infinity);
        }
        break;
      }
      case "cache.hit": {
        const start = ms(event.ts);
        // The request event, where there is one, is the question that the cache answered.
        close(event, "cached");
        const asked = attempts.at(-1);
        if (asked?.outcome === "cached" && asked.end === start) asked.responseSeq = event.seq;
        else {
          attempts.push({
            request: num(payload.request, 1),
            attempt: 1,
            start,
            end: start,
            outcome: "cached",
            provider: str(payload.provider),
            model: str(payload.model),
            responseSeq: event.seq,
          });
        }
        break;
      }
      case "retry":
      case "fallback":
      case "step.failed":
        close(event, "failed", payload.error);
        break;
      case "step.lost":
        close(event, "lost");
        break;
      case "step.succeeded":
        close(event, "succeeded");
        break;
    }
  }
  const left = open();
  if (left && runEnd !== undefined) {
    left.end = runEnd;
    left.outcome = "canceled";
  }
  return attempts;
}

export interface Chips {
  retries: number;
  fallbacks: { from: string; to: string }[];
  lost: number;
}

export function chipsOf(events: readonly TraceEvent[] | undefined): Chips {
  const chips: Chips = { retries: 0, fallbacks: [], lost: 0 };
  const model = (target: unknown) => str((target as Record<string, unknown> | undefined)?.model) ?? "?";
  for (const { kind, payload } of events ?? []) {
    if (kind === "retry") chips.retries += 1;
    else if (kind === "fallback") chips.fallbacks.push({ from: model(payload.from), to: model(payload.to) });
    else if (kind === "step.lost") chips.lost += 1;
  }
  return chips;
}

/** What went wrong, each thing once: attempts that failed alike one after the other are one. */
export function failures(attempts: readonly Attempt[]): { model: string; first: number; last: number; text: string }[] {
  const found: { model: string; first: number; last: number; text: string }[] = [];
  for (const { error, model = "", attempt } of attempts) {
    if (!error) continue;
    const text = errorText(error);
    const before = found.at(-1);
    if (before?.model === model && before.text === text && before.last === attempt - 1) before.last = attempt;
    else found.push({ model, first: attempt, last: attempt, text });
  }
  return found;
}
