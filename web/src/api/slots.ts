/**
 * Streams that all tabs of this browser may hold open at once. Over HTTP/1.1 a browser opens six connections to a server, and
 * the pages need some of them. A tab that gets none polls.
 */
const SLOTS = 3;

/** Works with a free slot, or with none where all are taken. */
export async function withSlot(work: (slot: boolean) => Promise<void>): Promise<void> {
  if (!navigator.locks) return work(true);
  const attempt = async (slot: number): Promise<void> => {
    if (slot === SLOTS) return work(false);
    const taken = await navigator.locks.request(`flowtrace:stream-slot:${slot}`, { ifAvailable: true }, async (lock) => {
      if (!lock) return true;
      await work(true);
      return false;
    });
    if (taken) await attempt(slot + 1);
  };
  return attempt(0);
}

export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
