import { useSyncExternalStore } from "react";

/** Whether the server asked for its token. Set by the first 401, cleared by signing in. */
let locked = false;
const listeners = new Set<() => void>();

export function setLocked(next: boolean) {
  if (locked === next) return;
  locked = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useLocked(): boolean {
  return useSyncExternalStore(subscribe, () => locked);
}
