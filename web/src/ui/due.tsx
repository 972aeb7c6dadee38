import { duration, exactTime } from "./format";
import { useClock } from "./time";

/** A time ahead as "in 3 min", with the exact time on hover; red once it is near. */
export function Due({ at }: { at: string }) {
  const left = Date.parse(at) - useClock();
  return (
    <time dateTime={at} title={exactTime(at)} className={left < 3_600_000 ? "text-warn" : undefined}>
      {left <= 0 ? "now" : `in ${duration(Math.ceil(left / 1000) * 1000)}`}
    </time>
  );
}
