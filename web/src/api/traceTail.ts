import { missed } from "./connection";
import type { TraceFilter } from "./client";
import { request } from "./http";
import { ApiProblem } from "./problem";
import { sleep, withSlot } from "./slots";
import { SseParser } from "./sse";
import type { TraceSummary } from "./types";
import { whileVisible } from "./visible";

const POLL_MS = 2_000;

export interface TraceTailOptions {
  filter: TraceFilter;
  onTrace: (trace: TraceSummary) => void;
  /** What came in between is not known: the list has to be read again. */
  onGap: () => void;
  /** The server refused to go on. */
  onRefused: (error: ApiProblem) => void;
}

/**
 * Follows the traces that match. A hidden tab lets go of its connection, and reads the list again when it is back; a tab for which
 * there is no connection left asks now and then. Call the result to stop.
 */
export function tailTraces(options: TraceTailOptions): () => void {
  return whileVisible((signal) => {
    void follow(options, signal).catch((error: unknown) => {
      if (!signal.aborted && error instanceof ApiProblem) options.onRefused(error);
    });
  });
}

async function follow(options: TraceTailOptions, signal: AbortSignal): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    try {
      await withSlot((slot) => {
        if (slot) return stream(options, signal, () => (failures = 0));
        options.onGap();
        return sleep(POLL_MS, signal);
      });
    } catch (error) {
      if (signal.aborted) return;
      // Asking again gives the same.
      if (error instanceof ApiProblem && error.status >= 400 && error.status < 500) throw error;
      failures += 1;
    }
    await sleep(Math.min(5_000, 150 * 2 ** failures), signal);
  }
}

async function stream({ filter, onTrace, onGap }: TraceTailOptions, signal: AbortSignal, onOpen: () => void): Promise<void> {
  const words = Object.entries(filter).filter(([, value]) => value !== undefined && value !== null);
  const query = new URLSearchParams(words.map(([name, value]) => [name, String(value)])).toString();
  const response = await request(`/api/traces/tail${query && `?${query}`}`, { headers: { accept: "text/event-stream" }, signal, cache: "no-store" });
  onOpen();
  // What came before the stream was open is in no event.
  onGap();
  if (!response.body) return;
  const parser = new SseParser();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      for (const message of parser.push(value)) {
        if (message.event === "trace") onTrace(JSON.parse(message.data) as TraceSummary);
        else if (message.event === "missed") onGap();
      }
    }
  } finally {
    if (!signal.aborted) missed();
  }
}
