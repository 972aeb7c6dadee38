/** Works while the tab is in view; `signal` fires when it no longer is. Call the result to stop for good. */
export function whileVisible(work: (signal: AbortSignal) => void): () => void {
  let turn: AbortController | null = null;
  const stop = () => {
    turn?.abort();
    turn = null;
  };
  const look = () => {
    if (document.hidden) return stop();
    if (turn) return;
    turn = new AbortController();
    work(turn.signal);
  };
  document.addEventListener("visibilitychange", look);
  look();
  return () => {
    document.removeEventListener("visibilitychange", look);
    stop();
  };
}
