import { api } from "@/api/client";
import { useLiveRun } from "@/api/live";
import { keys, runQuery } from "@/api/queries";
import { traceQuery } from "@/api/trace";
import type { Run, Step, TraceEvent } from "@/api/types";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { ms, StepEvents, type EventsByStep } from "./attempts";

export const isActive = (run: { status: string } | undefined) => run?.status === "queued" || run?.status === "running";

export interface RunData {
  run: Run | undefined;
  steps: Step[];
  events: TraceEvent[];
  eventsOf: EventsByStep;
  /** End of the run, or of what is known of it; milliseconds since the epoch. */
  lastTime: number;
  live: boolean;
  /** Whether `steps` and `events` have all that there is; a large run is read page by page. */
  complete: boolean;
  error: Error | null;
  retry: () => void;
}

const NO_STEPS: Step[] = [];
const NO_EVENTS: TraceEvent[] = [];

/** One run with all its steps and events, kept current while it is active. */
export function useRun(id: string): RunData {
  const query = useQuery(runQuery(id));
  const run = query.data;
  const live = isActive(run);
  const trace = useQuery({ ...traceQuery(id), enabled: run !== undefined });
  useLiveRun(id, live);

  const cursor = run?.next_steps_cursor;
  const rest = useInfiniteQuery({
    queryKey: keys.runSteps(id),
    queryFn: ({ pageParam, signal }) => api.steps(id, pageParam, signal),
    initialPageParam: cursor ?? "",
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    enabled: Boolean(cursor),
  });
  const { hasNextPage, isFetching, fetchNextPage } = rest;
  useEffect(() => {
    if (hasNextPage && !isFetching) void fetchNextPage();
  }, [hasNextPage, isFetching, fetchNextPage]);

  const first = run?.steps ?? NO_STEPS;
  const pages = rest.data?.pages;
  const steps = useMemo(() => (pages ? first.concat(...pages.map((page) => page.steps)) : first), [first, pages]);
  const events = trace.data ?? NO_EVENTS;
  const [grouped] = useState(() => new StepEvents());
  const eventsOf = useMemo(() => grouped.of(events), [grouped, events]);
  const lastEvent = events.at(-1);
  const lastTime = run?.finished_at ? ms(run.finished_at) : lastEvent ? ms(lastEvent.ts) : run ? ms(run.started_at) : 0;
  return {
    run,
    steps,
    events,
    eventsOf,
    lastTime,
    live,
    complete: trace.isSuccess && !trace.isFetching && run !== undefined && steps.length >= run.step_count,
    error: query.error ?? trace.error ?? rest.error,
    retry: () => {
      void query.refetch();
      void trace.refetch();
    },
  };
}
