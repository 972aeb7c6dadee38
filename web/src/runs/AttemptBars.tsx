import { duration } from "@/ui/format";
import { cx } from "@/ui/cx";
import { memo } from "react";
import type { Attempt } from "./attempts";
import type { Scale } from "./scale";

const fills: Record<Attempt["outcome"], string> = {
  running: "bg-run-fill",
  succeeded: "bg-ok-fill",
  failed: "bg-bad-fill",
  lost: "bg-warn-fill",
  cached: "bg-cache-fill",
  canceled: "bg-idle-fill",
};

const percent = (place: number) => `${(place * 100).toFixed(3)}%`;

/** A part of the width that can be seen. */
const LEAST = 0.004;
const widthOf = (attempt: Attempt | undefined, now: number, scale: Scale) => (attempt ? scale.at(attempt.end ?? now) - scale.at(attempt.start) : Infinity);

export function describe(attempt: Attempt, now: number): string {
  const what = attempt.model ? `${attempt.provider} ${attempt.model}` : (attempt.tool ?? "call");
  const took = duration((attempt.end ?? now) - attempt.start);
  const why = attempt.error ? `: ${attempt.error.message}` : "";
  return `Attempt ${attempt.attempt} at ${what}, ${attempt.outcome}, ${took}${why}`;
}

/** One bar for each attempt; thin lines between them are the backoff. The pale part is the time to the first token. */
export const AttemptBars = memo(function AttemptBars({
  attempts,
  start,
  end,
  now,
  scale,
  failed,
}: {
  attempts: Attempt[];
  /** Of the step, in case it made no call. */
  start: number | null;
  end: number | null;
  now: number;
  scale: Scale;
  /** Whether some step of the group that the bar stands for failed. */
  failed?: boolean;
}) {
  if (start === null) return null;
  const until = end ?? now;
  const left = scale.at(start);
  return (
    <>
      {attempts.length > 1 || scale.at(until) - left - widthOf(attempts[0], now, scale) > LEAST ? (
        <span className="absolute top-1/2 h-px bg-line-strong/60" style={{ left: percent(left), width: percent(scale.at(until) - left) }} />
      ) : null}
      {attempts.length === 0 && (
        <span
          className={cx("absolute top-2 bottom-2 min-w-[3px] rounded-[2px]", failed ? "bg-bad-fill" : end === null ? "bg-run-fill" : "bg-idle-fill")}
          style={{ left: percent(left), width: percent(scale.at(until) - left) }}
        />
      )}
      {attempts.map((attempt, index) => {
        const from = scale.at(attempt.start);
        const to = scale.at(attempt.end ?? now);
        const first = attempt.firstToken === undefined ? from : scale.at(attempt.firstToken);
        return (
          <span
            key={index}
            title={describe(attempt, now)}
            className={cx("absolute top-1.5 bottom-1.5 min-w-[3px] rounded-[2px]", fills[attempt.outcome])}
            style={{ left: percent(from), width: percent(to - from) }}
          >
            {first > from && to > from && (
              <span className="absolute inset-y-0 left-0 rounded-l-[2px] bg-panel/50" style={{ width: percent((first - from) / (to - from)) }} />
            )}
          </span>
        );
      })}
    </>
  );
});
