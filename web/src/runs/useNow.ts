import { onBeat } from "@/api/beat";
import { useSyncExternalStore } from "react";

let now = Date.now();
const shown = new Set<() => void>();
let stop: (() => void) | undefined;

function subscribe(listener: () => void) {
  shown.add(listener);
  if (!stop) {
    now = Date.now();
    stop = onBeat(() => {
      now = Date.now();
      for (const each of shown) each();
    });
  }
  return () => {
    shown.delete(listener);
    if (shown.size > 0) return;
    stop?.();
    stop = undefined;
  };
}
const still = () => () => undefined;

/** The time, moving while something is under way; never before what is known to have happened. */
export function useNow(moving: boolean, least: number): number {
  const current = useSyncExternalStore(moving ? subscribe : still, () => (moving ? now : 0));
  return Math.max(current, least);
}
