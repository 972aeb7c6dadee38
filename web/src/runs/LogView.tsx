import type { TraceEvent } from "@/api/types";
import { cx } from "@/ui/cx";
import { duration, exactTime, plural } from "@/ui/format";
import { useHotkeys } from "@/ui/hotkeys";
import { TypedInput } from "@/ui/typedInput";
import { usePlaced } from "@/ui/virtual";
import { useMemo, useRef } from "react";
import { ms } from "./attempts";
import { summaryOf } from "./summary";
import { useRows, type ViewProps } from "./useRows";
import type { RunData } from "./useRun";

const ROW = 24;
const GRID = "grid items-center gap-x-3 px-4 grid-cols-[64px_110px_minmax(0,1fr)] @min-[640px]:grid-cols-[44px_72px_130px_minmax(80px,160px)_minmax(0,1fr)]";

const tones: Record<string, string> = {
  "run.failed": "text-bad",
  "step.failed": "text-bad",
  "budget.exceeded": "text-bad",
  retry: "text-warn",
  fallback: "text-warn",
  "step.lost": "text-warn",
  "llm.repair": "text-warn",
  "approval.requested": "text-warn",
  "undo.started": "text-warn",
  "cache.hit": "text-cache",
  "run.succeeded": "text-ok",
  "step.succeeded": "text-ok",
};

/** The journal of the run, event by event. */
export function LogView({ data, selected, onSelect, q, onFilter }: ViewProps & { data: RunData; q: string | undefined; onFilter: (q: string | undefined) => void }) {
  const { run, events, live } = data;
  const filter = useRef<HTMLInputElement>(null);
  useHotkeys({ "/": () => filter.current?.focus() });
  const rows = useMemo(() => {
    const words = (q ?? "").toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length === 0) return events;
    return events.filter((event) => {
      const hay = `${event.kind} ${event.step_id ?? ""} ${summaryOf(event)}`.toLowerCase();
      return words.every((word) => hay.includes(word));
    });
  }, [events, q]);
  const { scroll, virtual, active, onFocusRow } = useRows({
    count: rows.length,
    height: ROW,
    live,
    selectedIndex: -1,
    onMove: () => undefined,
  });
  const placed = usePlaced(virtual, (index) => String(rows[index]?.seq));
  const origin = run ? ms(run.started_at) : 0;

  return (
    <div className="@container flex min-h-0 flex-1 flex-col">
      <search className="flex shrink-0 items-center gap-3 border-b border-line px-4 py-1">
        <TypedInput ref={filter} aria-label="Filter the events" placeholder="Kind, step or text  ( / )" value={q} pause={0} onChange={onFilter} className="!w-60" />
        <span role="status" className="num text-muted">
          {plural(rows.length, "event")}
        </span>
      </search>
      <div ref={scroll} className="min-h-0 flex-1 overflow-y-auto bg-bg" tabIndex={-1}>
        <ol aria-label="Events" className="relative" style={{ height: virtual.getTotalSize() }}>
          {placed.map(({ index, top, slot }) => {
            const event = rows[index];
            return (
              event && (
                <Row
                  key={slot}
                  event={event}
                  index={index}
                  top={top}
                  origin={origin}
                  selected={event.step_id != null && event.step_id === selected}
                  tabbable={index === Math.max(active, 0)}
                  onSelect={onSelect}
                  onFocus={onFocusRow}
                />
              )
            );
          })}
        </ol>
      </div>
    </div>
  );
}

function Row({
  event,
  index,
  top,
  origin,
  selected,
  tabbable,
  onSelect,
  onFocus,
}: {
  event: TraceEvent;
  index: number;
  top: number;
  origin: number;
  selected: boolean;
  tabbable: boolean;
  onSelect: (step: string | undefined) => void;
  onFocus: (index: number) => void;
}) {
  const summary = summaryOf(event);
  return (
    <li className="absolute inset-x-0 [contain:size_layout_style]" style={{ height: ROW, top }}>
      <button
        type="button"
        data-row={index}
        tabIndex={tabbable ? 0 : -1}
        disabled={event.step_id == null}
        onClick={() => event.step_id != null && onSelect(event.step_id)}
        onFocus={() => onFocus(index)}
        className={cx(GRID, "h-full w-full text-left font-mono text-xs", selected ? "bg-selected" : "enabled:hover:bg-hover")}
      >
        <span className="num hidden text-right text-muted @min-[640px]:block">{event.seq}</span>
        <span className="num text-right text-muted" title={exactTime(event.ts)}>
          +{duration(ms(event.ts) - origin)}
        </span>
        <span className={cx("truncate", tones[event.kind])}>{event.kind}</span>
        <span className="hidden truncate text-muted @min-[640px]:block">{event.step_id}</span>
        <span className="truncate" title={summary}>
          {summary}
        </span>
      </button>
    </li>
  );
}
