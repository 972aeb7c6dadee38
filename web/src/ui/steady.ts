import { useState } from "react";

/**
 * What went wrong last, until something went well: while a query that has nothing is asked again, its error is gone for a
 * moment, and a page that follows it would flicker.
 */
export function useSteadyError({ error, isSuccess }: { error: Error | null; isSuccess: boolean }): Error | null {
  const [last, setLast] = useState<Error | null>(null);
  const now = error ?? (isSuccess ? null : last);
  if (now !== last) setLast(now);
  return now;
}
