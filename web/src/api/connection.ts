import { useSyncExternalStore } from "react";

/** Whether the server can be reached: what the dot in the corner shows. */
export type Connection = "connecting" | "live" | "reconnecting" | "offline";

let state: Connection = "connecting";
let failures = 0;
const listeners = new Set<() => void>();

function set(next: Connection) {
  if (next === state) return;
  state = next;
  for (const listener of listeners) listener();
}

/** The server answered, whatever it said. */
export function reached() {
  failures = 0;
  set("live");
}

/** The server did not answer. The first miss may be a restart; after a few it is gone. */
export function missed() {
  failures += 1;
  set(failures >= 4 ? "offline" : "reconnecting");
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useConnection(): Connection {
  return useSyncExternalStore(subscribe, () => state);
}
