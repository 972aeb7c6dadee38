import { useEffect, useRef, useState } from "react";

/** Two numbers that follow the given ones, at most once in `ms`, and reach them in the end. The first known ones at once. */
export function useThrottled(first: number, last: number, ms: number): [number, number] {
  const [shown, setShown] = useState<[number, number]>([first, last]);
  const latest = useRef<[number, number]>([first, last]);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    latest.current = [first, last];
    timer.current ??= setTimeout(
      () => {
        timer.current = undefined;
        setShown((old) => (old[0] === latest.current[0] && old[1] === latest.current[1] ? old : latest.current));
      },
      ms,
    );
  }, [first, last, ms]);
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    },
    [],
  );
  return shown;
}
