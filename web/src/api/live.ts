import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { onBeat } from "./beat";
import { keys } from "./queries";
import { followRun, type Delta, type StreamMessage } from "./stream";
import { addLive, knownSeq, knowsEnd, traceQuery } from "./trace";
import type { TraceEvent } from "./types";

/** Text of answers under way, by step, request and attempt. Appended to a text node, never kept in React's state. */
type Listener = (text: string, replace: boolean) => void;
const texts = new Map<string, string>();
const listeners = new Map<string, Set<Listener>>();

export const answerKey = (run: string, step: string, request: number, attempt: number) => [run, step, request, attempt].join("\n");

function say(run: string, delta: Delta) {
  const key = answerKey(run, delta.step_id, delta.request, delta.attempt);
  texts.set(key, delta.so_far ? delta.text : (texts.get(key) ?? "") + delta.text);
  for (const listener of listeners.get(key) ?? []) listener(delta.text, delta.so_far);
}

function forgetAnswers(run: string) {
  for (const key of texts.keys()) if (key.startsWith(`${run}\n`)) texts.delete(key);
}

/** Calls `listener` with what was said so far, and with each piece after it. */
export function listenToAnswer(key: string, listener: Listener): () => void {
  const all = listeners.get(key) ?? new Set();
  listeners.set(key, all.add(listener));
  listener(texts.get(key) ?? "", true);
  return () => {
    all.delete(listener);
    if (all.size === 0) listeners.delete(key);
  };
}

/** Keeps the views of a run current while it is active and its page is shown. */
export function useLiveRun(run: string, active: boolean): void {
  const client = useQueryClient();
  useEffect(() => {
    if (!active) return;
    const views = refresher(client, run);
    let waiting: TraceEvent[] = [];
    let flush: (() => void) | undefined;

    const deliver = () => {
      flush?.();
      flush = undefined;
      const events = waiting;
      waiting = [];
      if (!addLive(client, run, events)) void client.invalidateQueries({ queryKey: traceQuery(run).queryKey });
      views.changed();
    };
    const onMessage = (message: StreamMessage) => {
      if (message.type === "delta") return say(run, message.delta);
      if (message.type === "trace") waiting.push(message.event);
      else views.changed();
      // One drawing for all that comes within a beat.
      if (message.type === "end") deliver();
      else flush ??= onBeat(deliver);
    };
    const lastSeq = () => waiting.at(-1)?.seq ?? knownSeq(client, run);
    let unfollow: (() => void) | undefined;
    let left = false;
    // The journal so far comes first, page by page; the stream goes on from there.
    void client
      .ensureQueryData(traceQuery(run))
      .catch(() => undefined)
      .then(() => {
        if (!left) unfollow = followRun({ run, lastSeq, hasEnd: () => knowsEnd(client, run), onMessage });
      });
    return () => {
      left = true;
      unfollow?.();
      flush?.();
      views.stop();
      forgetAnswers(run);
      // The run may have been seen to end before the last of its events and steps were read.
      void client.invalidateQueries({ queryKey: traceQuery(run).queryKey });
      void client.invalidateQueries({ queryKey: keys.runSteps(run) });
    };
  }, [client, run, active]);
}

/** Milliseconds between two readings; what a person sees as at once. */
const LEAST_PAUSE = 300;

/**
 * Reads the run's views again after a change: never two at a time, and with pauses of six times as long as reading takes, so that a large
 * run under fire costs no more than a share of the browser.
 */
function refresher(client: QueryClient, run: string) {
  let dirty = false;
  let busy = false;
  let stopped = false;
  const work = async () => {
    busy = true;
    while (dirty && !stopped) {
      dirty = false;
      const start = performance.now();
      await Promise.all([
        client.refetchQueries({ queryKey: keys.run(run), exact: true }),
        client.refetchQueries({ queryKey: keys.runSteps(run), exact: true }),
      ]);
      await new Promise((resolve) => setTimeout(resolve, Math.max(LEAST_PAUSE, 6 * (performance.now() - start))));
    }
    busy = false;
  };
  return {
    changed: () => {
      dirty = true;
      if (!busy) void work();
    },
    stop: () => {
      stopped = true;
    },
  };
}
