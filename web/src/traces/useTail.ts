import { onBeat } from "@/api/beat";
import { filterOf, tracesQuery, type TraceList } from "@/api/traces";
import { tailTraces } from "@/api/traceTail";
import type { TraceSummary } from "@/api/types";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { merge } from "./tail";

/** Between two readings of a list that cannot be followed row by row. */
const PAUSE_MS = 2_000;

/** Whether the list can be followed row by row: words are indexed a moment later, and other orders have to be looked up. */
export const isFollowable = (list: TraceList) => list.q === undefined && list.sort === undefined;

/** Keeps a list current while `on`, and the page is shown. */
export function useTail(list: TraceList, on: boolean, onRefused: (error: Error) => void): void {
  const client = useQueryClient();
  const refused = useRef(onRefused);
  useEffect(() => {
    refused.current = onRefused;
  });
  const key = JSON.stringify(list);
  useEffect(() => {
    if (!on) return;
    const followed = JSON.parse(key) as TraceList;
    const { queryKey } = tracesQuery(followed);
    /** From the first page: what is further down would shift under the reader. */
    const again = () => {
      client.setQueryData(queryKey, (old) => old && { pages: old.pages.slice(0, 1), pageParams: old.pageParams.slice(0, 1) });
      void client.invalidateQueries({ queryKey, exact: true });
    };
    if (!isFollowable(followed)) {
      const timer = setInterval(() => {
        const pages = client.getQueryData(queryKey)?.pages.length ?? 0;
        if (!document.hidden && pages <= 1) void client.invalidateQueries({ queryKey, exact: true });
      }, PAUSE_MS);
      return () => clearInterval(timer);
    }
    let arrived: TraceSummary[] = [];
    let flush: (() => void) | undefined;
    const deliver = () => {
      flush?.();
      flush = undefined;
      const now = arrived;
      arrived = [];
      const old = client.getQueryData(queryKey);
      const next = old && merge(old, now);
      if (next) client.setQueryData(queryKey, next);
      else again();
    };
    const stop = tailTraces({
      filter: filterOf(followed, Date.now()),
      onTrace: (trace) => {
        arrived.push(trace);
        flush ??= onBeat(deliver);
      },
      onGap: again,
      onRefused: (error) => refused.current(error),
    });
    return () => {
      stop();
      flush?.();
    };
  }, [client, key, on]);
}
