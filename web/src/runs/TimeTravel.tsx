import type { TraceEvent } from "@/api/types";
import { IconButton, Button } from "@/ui/button";
import { count, duration, exactTime } from "@/ui/format";
import { useHotkeys } from "@/ui/hotkeys";
import { ChevronLeft, ChevronRight, History, X } from "lucide-react";
import { useEffect, useState } from "react";
import { ms } from "./attempts";
import { summaryOf } from "./summary";

interface Props {
  /** All events of the run, whatever is shown. */
  events: TraceEvent[];
  last: number;
  startedAt: string;
  at: number;
  onAt: (at: number | undefined) => void;
}

/** Milliseconds for which the slider has to rest before the state is read. */
const REST = 80;

/** The run at one of its events: a slider, a step forward and a step back. */
export function TimeTravel({ events, last, startedAt, at, onAt }: Props) {
  const [drag, setDrag] = useState<number | null>(null);
  const shown = Math.min(drag ?? at, last);
  const go = (to: number) => onAt(Math.min(last, Math.max(1, to)));
  useHotkeys({ ",": () => go(at - 1), ".": () => go(at + 1) });
  useEffect(() => {
    if (drag === null) return;
    const timer = setTimeout(() => {
      onAt(drag);
      setDrag(null);
    }, REST);
    return () => clearTimeout(timer);
  }, [drag, onAt]);
  const event = events[shown - 1];
  const summary = event ? summaryOf(event) : "";
  return (
    <section aria-label="Time travel" className="flex shrink-0 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line bg-selected px-4 py-1">
      <History size={14} className="shrink-0 text-accent" aria-hidden />
      <span className="flex items-center">
        <IconButton label="One event back ( , )" disabled={shown <= 1} onClick={() => go(shown - 1)}>
          <ChevronLeft size={16} aria-hidden />
        </IconButton>
        <IconButton label="One event on ( . )" disabled={shown >= last} onClick={() => go(shown + 1)}>
          <ChevronRight size={16} aria-hidden />
        </IconButton>
      </span>
      <input
        type="range"
        aria-label="State after event"
        aria-valuetext={event ? `${shown} of ${last}: ${event.kind} ${event.step_id ?? ""}` : undefined}
        min={1}
        max={last}
        value={shown}
        onChange={(change) => setDrag(Number(change.target.value))}
        className="min-w-24 flex-1 basis-40 accent-accent"
      />
      <p role="status" className="flex min-w-0 basis-full items-baseline gap-2 sm:basis-auto lg:w-[46%]">
        <span className="num shrink-0 font-medium">
          Event {count(shown)} of {count(last)}
        </span>
        {event && (
          <>
            <span className="num shrink-0 text-muted" title={exactTime(event.ts)}>
              +{duration(ms(event.ts) - ms(startedAt))}
            </span>
            <span className="min-w-0 truncate font-mono text-xs" title={summary}>
              {event.kind} {event.step_id} {summary}
            </span>
          </>
        )}
      </p>
      <Button variant="ghost" className="ml-auto" onClick={() => onAt(undefined)}>
        <X size={14} aria-hidden />
        To the end
      </Button>
    </section>
  );
}
