import { api } from "./client";
import { missed } from "./connection";
import { request } from "./http";
import { ApiProblem } from "./problem";
import { sleep, withSlot } from "./slots";
import { SseParser } from "./sse";
import { isEnd } from "./trace";
import type { TraceEvent } from "./types";
import { whileVisible } from "./visible";

export interface Delta {
  step_id: string;
  request: number;
  attempt: number;
  text: string;
  /** Whether `text` replaces what was there. */
  so_far: boolean;
}

export type StreamMessage = { type: "trace"; event: TraceEvent } | { type: "delta"; delta: Delta } | { type: "end" };
/** `hello`: a tab that follows is there. `lead`: a tab that has the connection is there; who follows says hello. */
type ChannelMessage = StreamMessage | { type: "hello" } | { type: "lead" };

const POLL_MS = 1_000;

export interface RunStreamOptions {
  run: string;
  /** Seq of the last event that the page has. */
  lastSeq: () => number;
  /** Whether the page has the end of the run: who asks for what is after it hears nothing. */
  hasEnd: () => boolean;
  onMessage: (message: StreamMessage) => void;
}

/**
 * Follows a run. Of all visible tabs that show it, one (the holder of a lock) has the connection and passes on what comes; a
 * hidden tab lets go of it. Call the result to stop.
 */
export function followRun({ run, lastSeq, hasEnd, onMessage }: RunStreamOptions): () => void {
  const channel = new BroadcastChannel(`flowtrace:run:${run}`);
  /** What models have said so far, for tabs that join. Only the leader fills it. */
  const said = new Map<string, Delta>();
  let leading = false;
  /** Whether any other tab has shown up: most runs are watched by one, and passing on costs time. */
  let followed = false;
  let over = false;

  const emit = (message: StreamMessage) => {
    if (message.type === "delta") remember(said, message.delta);
    if (message.type === "end") over = true;
    onMessage(message);
    if (followed) channel.postMessage(message satisfies ChannelMessage);
  };

  channel.onmessage = ({ data }: MessageEvent<ChannelMessage>) => {
    if (data.type === "hello") {
      followed = true;
      if (leading) for (const delta of said.values()) channel.postMessage({ type: "delta", delta } satisfies ChannelMessage);
      return;
    }
    if (leading || document.hidden) return;
    if (data.type === "lead") return channel.postMessage({ type: "hello" } satisfies ChannelMessage);
    if (data.type === "end") over = true;
    onMessage(data);
  };

  const stop = whileVisible((signal) => {
    if (over) return;
    channel.postMessage({ type: "hello" } satisfies ChannelMessage);
    const lead = async () => {
      leading = true;
      channel.postMessage({ type: "lead" } satisfies ChannelMessage);
      try {
        await connect({ run, lastSeq, hasEnd, onMessage: emit }, signal, () => over);
      } finally {
        leading = false;
        said.clear();
      }
    };
    withLock(`flowtrace:run:${run}`, signal, lead).catch((error: unknown) => {
      if (!signal.aborted) console.error("The live stream of the run was given up.", error);
    });
  });
  return () => {
    stop();
    channel.close();
  };
}

/** Locks exist only on secure origins, of which localhost is one. Elsewhere each tab stands for itself. */
async function withLock(name: string, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  if (navigator.locks) await navigator.locks.request(name, { signal }, work);
  else await work();
}

async function connect(options: RunStreamOptions, signal: AbortSignal, isOver: () => boolean): Promise<void> {
  let failures = 0;
  while (!signal.aborted && !isOver()) {
    try {
      await withSlot((slot) => (slot ? stream(options, signal) : poll(options, signal)));
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      // The run is gone, or this browser may not see it: asking again gives the same.
      if (error instanceof ApiProblem && error.status >= 400 && error.status < 500) throw error;
      failures += 1;
    }
    if (!isOver()) await sleep(Math.min(2_000, 150 * 2 ** failures), signal);
  }
}

async function stream({ run, lastSeq, onMessage: emit }: RunStreamOptions, signal: AbortSignal): Promise<void> {
  const response = await request(`/api/runs/${encodeURIComponent(run)}/stream`, {
    headers: { accept: "text/event-stream", "last-event-id": String(lastSeq()) },
    signal,
    cache: "no-store",
  });
  if (response.status === 204 || !response.body) return emit({ type: "end" });
  const parser = new SseParser();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let ended = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      for (const message of parser.push(value)) {
        if (message.event === "trace") {
          const data = JSON.parse(message.data) as Omit<TraceEvent, "seq">;
          emit({ type: "trace", event: { seq: Number(message.id), ...data } });
        } else if (message.event === "delta") {
          emit({ type: "delta", delta: JSON.parse(message.data) as Delta });
        } else if (message.event === "end") {
          ended = true;
          emit({ type: "end" });
        }
      }
    }
  } catch (error) {
    if (!signal.aborted) missed();
    throw error;
  }
  // Cut without an end: the server is going away.
  if (!ended && !signal.aborted) missed();
}

/** Without a connection of its own: asks for what is new. */
async function poll({ run, lastSeq, hasEnd, onMessage: emit }: RunStreamOptions, signal: AbortSignal): Promise<void> {
  const { events } = await api.trace(run, lastSeq(), 1_000, signal);
  for (const event of events) emit({ type: "trace", event });
  if (events.some(isEnd) || hasEnd()) emit({ type: "end" });
  else await sleep(POLL_MS, signal);
}

function remember(said: Map<string, Delta>, delta: Delta) {
  const key = `${delta.step_id}\n${delta.request}\n${delta.attempt}`;
  const before = delta.so_far ? "" : (said.get(key)?.text ?? "");
  said.set(key, { ...delta, text: before + delta.text, so_far: true });
}
