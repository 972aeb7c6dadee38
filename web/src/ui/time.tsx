import { useSyncExternalStore } from "react";
import { ago, exactTime } from "./format";

let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

function subscribe(listener: () => void) {
  listeners.add(listener);
  // Nobody looked for a while: the clock may be behind.
  if (listeners.size === 1) now = Date.now();
  timer ??= setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, 5_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** The clock that all times of a page share; it moves every five seconds. */
export const useClock = () => useSyncExternalStore(subscribe, () => now);

/** A time as "3 min ago", with the exact time on hover. All of them share one clock. */
export function Ago({ at, className }: { at: string; className?: string }) {
  const current = useClock();
  return (
    <time dateTime={at} title={exactTime(at)} className={className}>
      {ago(at, current)}
    </time>
  );
}
