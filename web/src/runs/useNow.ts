import { useEffect, useState } from "react";

/** The time, moving while something is under way; never before what is known to have happened. */
export function useNow(moving: boolean, least: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!moving) return;
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [moving]);
  return moving ? Math.max(now, least) : least;
}
