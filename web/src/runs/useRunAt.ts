import { runAtQuery } from "@/api/queries";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { ms, StepEvents } from "./attempts";
import type { RunData } from "./useRun";

/** The run as it was after event `at`; as it is where `at` is absent. */
export function useRunAt(data: RunData, at: number | undefined): RunData {
  const id = data.run?.id;
  const last = data.run?.last_seq;
  // An address may name an event that has not happened.
  const seq = at === undefined || last === undefined ? undefined : Math.min(at, last);
  const query = useQuery({ ...runAtQuery(id ?? "", seq ?? 1), enabled: id !== undefined && seq !== undefined, placeholderData: keepPreviousData });
  const events = useMemo(() => (seq === undefined ? data.events : data.events.slice(0, seq)), [data.events, seq]);
  const eventsOf = useMemo(() => (seq === undefined ? data.eventsOf : new StepEvents().of(events)), [data.eventsOf, events, seq]);
  return useMemo(() => {
    if (seq === undefined || !data.run) return data;
    const run = query.data?.id === data.run.id ? query.data : undefined;
    if (!run) return { ...data, error: query.error ?? data.error };
    const lastEvent = events.at(-1);
    return {
      ...data,
      run,
      steps: run.steps,
      events,
      eventsOf,
      live: false,
      complete: false,
      lastTime: lastEvent ? ms(lastEvent.ts) : ms(run.started_at),
      error: query.error ?? data.error,
      retry: () => void query.refetch(),
    };
  }, [data, seq, query, events, eventsOf]);
}
