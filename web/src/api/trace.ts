import { queryOptions, type QueryClient } from "@tanstack/react-query";
import { api } from "./client";
import { keys } from "./queries";
import type { EventValue, TraceEvent } from "./types";

const PAGE = 5_000;
const traceKey = (run: string) => [...keys.run(run), "trace"] as const;

/** Journals have no gaps and never change, so of two readings the longer one is the newer. */
function longer(a: TraceEvent[] | undefined, b: TraceEvent[]): TraceEvent[] {
  return a && a.length > b.length ? a : b;
}

/** Puts events after those that are there. `null` if some in between are missing. */
export function append(known: TraceEvent[], events: TraceEvent[]): TraceEvent[] | null {
  const fresh = events.filter((event) => event.seq > known.length);
  if (fresh.length === 0) return known;
  return fresh[0]?.seq === known.length + 1 ? [...known, ...fresh] : null;
}

/** All events of a run so far. Reading again reads only what is new. */
export function traceQuery(run: string) {
  const queryKey = traceKey(run);
  return queryOptions({
    queryKey,
    structuralSharing: false,
    queryFn: async ({ client, signal }): Promise<TraceEvent[]> => {
      for (;;) {
        const known = client.getQueryData<TraceEvent[]>(queryKey) ?? [];
        const page = await api.trace(run, known.length, PAGE, signal);
        const now = client.getQueryData<TraceEvent[]>(queryKey);
        const all = longer(now, append(known, page.events) ?? known);
        if (page.next_after_seq == null) return all;
        // What is there can be drawn while the rest comes.
        client.setQueryData(queryKey, all);
      }
    },
  });
}

/** Adds events that came live; false if some before them are missing. */
export function addLive(client: QueryClient, run: string, events: TraceEvent[]): boolean {
  const known = client.getQueryData<TraceEvent[]>(traceKey(run));
  const all = known && append(known, events);
  if (!all) return false;
  if (all !== known) client.setQueryData(traceKey(run), all);
  return true;
}

/** Whether a run is over with an event. */
export const isEnd = ({ kind }: TraceEvent) => kind === "run.succeeded" || kind === "run.failed" || kind === "run.canceled";

export const knowsEnd = (client: QueryClient, run: string) => client.getQueryData<TraceEvent[]>(traceKey(run))?.some(isEnd) ?? false;

export function knownSeq(client: QueryClient, run: string): number {
  return client.getQueryData<TraceEvent[]>(traceKey(run))?.length ?? 0;
}

/** A field of a payload that holds a value in place or a reference to one. */
export function eventValue(payload: Record<string, unknown>, field: string): EventValue | undefined {
  const value = payload[field];
  if (typeof value !== "object" || value === null) return undefined;
  return "inline" in value || "blob" in value ? (value as EventValue) : undefined;
}
