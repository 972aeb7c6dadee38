import type { Step, TraceEvent } from "@/api/types";
import { KindIcon, kindLabel } from "@/nodes/kind";
import { cx } from "@/ui/cx";
import { duration, usd } from "@/ui/format";
import { Status, statusWord } from "@/ui/status";
import { memo, useMemo } from "react";
import { AttemptBars } from "./AttemptBars";
import { attemptsOf, ms } from "./attempts";
import { Minimap } from "./Minimap";
import { makeScale, ticks, type Scale } from "./scale";
import { StepChips } from "./StepChips";
import { useNow } from "./useNow";
import { useRows, type ViewProps } from "./useRows";
import { useThrottled } from "./useThrottled";
import type { RunData } from "./useRun";

const ROW = 28;
/** Above this many steps the bars of the whole run would be slivers: the time axis fits the rows in view. */
const FIT_ABOVE = 60;

/** The waterfall: a row for each step, a bar for each attempt. */
export function TimelineView({ data, selected, onSelect }: ViewProps & { data: RunData }) {
  const { run, steps, eventsOf, live, lastTime } = data;
  const now = useNow(live, lastTime);
  const selectedIndex = useMemo(() => (selected ? steps.findIndex((step) => step.step_id === selected) : -1), [steps, selected]);
  const { scroll, virtual, active, onScroll, onFocusRow } = useRows({
    count: steps.length,
    height: ROW,
    live,
    selectedIndex,
    onMove: (index) => onSelect(steps[index]?.step_id),
  });
  const items = virtual.getVirtualItems();

  const runStart = run ? ms(run.started_at) : 0;
  const runEnd = live ? now : lastTime;
  const fits = steps.length > FIT_ABOVE;
  // A new scale draws every row again, so that while the rows move it follows a few times a second.
  const [firstRow, lastRow] = useThrottled(items[0]?.index ?? 0, items.at(-1)?.index ?? 0, 200);
  const scale = useMemo(() => {
    const shown = fits ? steps.slice(firstRow, lastRow + 1) : steps;
    const spans = shown.flatMap((step) => (step.started_at ? [{ start: ms(step.started_at), end: step.finished_at ? ms(step.finished_at) : runEnd }] : []));
    if (!fits) {
      // Backoff between two attempts is a wait as well, so the attempts count here and not the whole steps.
      const attempts = steps.flatMap((step) => attemptsOf(eventsOf.get(step.step_id), live ? undefined : runEnd));
      const busy = attempts.length > 0 ? attempts.map((attempt) => ({ start: attempt.start, end: attempt.end ?? runEnd })) : spans;
      return makeScale(runStart, Math.max(runEnd, runStart + 1), busy);
    }
    const start = Math.min(...spans.map((span) => span.start));
    const end = Math.max(...spans.map((span) => span.end));
    return spans.length > 0 ? makeScale(start, Math.max(end, start + 1), spans) : makeScale(runStart, Math.max(runEnd, runStart + 1), []);
  }, [fits, firstRow, lastRow, steps, eventsOf, live, runStart, runEnd]);

  return (
    <div className="@container flex min-h-0 flex-1 flex-col">
      {fits && <Minimap steps={steps} start={runStart} end={live ? Math.ceil(runEnd / 1000) * 1000 : runEnd} from={scale.start} to={scale.end} onPick={(index) => virtual.scrollToIndex(index, { align: "center" })} />}
      <div className={cx(GRID, "h-6 shrink-0 border-b border-line text-xs text-muted")} aria-hidden>
        <span>Step</span>
        <Axis scale={scale} origin={runStart} />
        <span className="text-right">Time</span>
        <span className="hidden text-right @min-[760px]:block">Tokens</span>
        <span className="hidden text-right @min-[760px]:block">Cost</span>
      </div>
      <div ref={scroll} onScroll={onScroll} className="min-h-0 flex-1 overflow-y-auto bg-bg" tabIndex={-1}>
        {steps.length === 0 && <p className="px-4 py-8 text-center text-muted">{live ? "No step has begun yet." : "The run ended before any step began."}</p>}
        <ol aria-label="Steps" className="relative" style={{ height: virtual.getTotalSize() }}>
          {scale.folds.map((fold) => (
            <FoldMark key={fold.start} scale={scale} from={fold.from} to={fold.to} length={fold.end - fold.start} />
          ))}
          {items.map((item) => {
            const step = steps[item.index];
            if (!step) return null;
            return (
              <Row
                key={step.step_id}
                index={item.index}
                top={item.start}
                step={step}
                events={eventsOf.get(step.step_id)}
                scale={scale}
                now={step.finished_at ? 0 : now}
                runEnd={live ? undefined : lastTime}
                selected={item.index === selectedIndex}
                tabbable={item.index === Math.max(active, 0)}
                onSelect={onSelect}
                onFocus={onFocusRow}
              />
            );
          })}
        </ol>
      </div>
    </div>
  );
}

const GRID =
  "grid items-center gap-x-3 px-4 grid-cols-[minmax(120px,42%)_1fr_58px] @min-[760px]:grid-cols-[minmax(180px,34%)_1fr_64px_64px_84px]";

interface RowProps {
  index: number;
  top: number;
  step: Step;
  events: TraceEvent[] | undefined;
  scale: Scale;
  now: number;
  runEnd: number | undefined;
  selected: boolean;
  tabbable: boolean;
  onSelect: (step: string | undefined) => void;
  onFocus: (index: number) => void;
}

const Row = memo(function Row({ index, top, step, events, scale, now, runEnd, selected, tabbable, onSelect, onFocus }: RowProps) {
  const attempts = useMemo(() => attemptsOf(events, runEnd), [events, runEnd]);
  const start = step.started_at ? ms(step.started_at) : null;
  const end = step.finished_at ? ms(step.finished_at) : null;
  const elapsed = step.latency_ms ?? (start !== null && end === null ? now - start : null);
  const tokens = step.tokens_input == null && step.tokens_output == null ? null : (step.tokens_input ?? 0) + (step.tokens_output ?? 0);
  const skipped = step.status === "skipped";
  return (
    <li className="absolute inset-x-0 [contain:strict]" style={{ height: ROW, transform: `translateY(${top}px)` }}>
      <button
        type="button"
        data-row={index}
        tabIndex={tabbable ? 0 : -1}
        aria-current={selected ? "true" : undefined}
        aria-label={`${step.name}, ${kindLabel(step.node_type)}, ${statusWord(step.status)}, ${duration(elapsed)}${step.attempts > 1 ? `, ${step.attempts} attempts` : ""}`}
        onClick={() => onSelect(step.step_id)}
        onFocus={() => onFocus(index)}
        className={cx(GRID, "h-full w-full border-b border-line/60 text-left", selected ? "bg-selected" : "hover:bg-hover", skipped && "text-muted")}
      >
        <span className="flex min-w-0 items-center gap-1.5">
          <Status status={step.status} compact />
          <KindIcon type={step.node_type} className="shrink-0 text-muted" />
          <span className="min-w-0 truncate" title={step.step_id}>
            {step.name || step.step_id}
          </span>
          <span className="hidden shrink-0 items-center gap-1 @min-[480px]:flex">
            <StepChips step={step} events={events} />
          </span>
        </span>
        <span className="relative h-full min-w-0" aria-hidden>
          <AttemptBars attempts={attempts} start={start} end={end} now={now} scale={scale} />
        </span>
        <span className="num text-right">{skipped ? <span className="text-xs">skipped</span> : duration(elapsed)}</span>
        <span className="num hidden text-right @min-[760px]:block">{tokens === null ? "" : tokens}</span>
        <span className="num hidden text-right @min-[760px]:block">{step.cost_nanousd == null ? "" : usd(step.cost_nanousd)}</span>
      </button>
    </li>
  );
});

function Axis({ scale, origin }: { scale: Scale; origin: number }) {
  const length = scale.end - scale.start;
  const marks = scale.folds.length > 0 ? [0, length] : ticks(length, 4);
  return (
    <span className="relative h-full min-w-0">
      {marks.map((mark, index) => {
        const place = scale.at(scale.start + mark);
        return (
          <span
            key={mark}
            className={cx("num absolute top-1", index % 2 === 1 && marks.length > 2 && "hidden @min-[560px]:block", place > 0.88 ? "-translate-x-full pr-1" : "border-l border-line pl-1")}
            style={{ left: `${place * 100}%` }}
          >
            {duration(scale.start + mark - origin)}
          </span>
        );
      })}
    </span>
  );
}

/** The mark stands in the middle column of the grid, over all rows. */
function FoldMark({ from, to, length }: { scale: Scale; from: number; to: number; length: number }) {
  return (
    <li className={cx(GRID, "pointer-events-none absolute inset-0")}>
      <span />
      <span className="relative h-full">
        <span
          className="absolute inset-y-0 border-x border-dashed border-line-strong/50 bg-raised/60"
          style={{ left: `${from * 100}%`, width: `${(to - from) * 100}%` }}
          title={`${duration(length)} in which no call was under way`}
        >
          <span className="num absolute bottom-1 left-1/2 -translate-x-1/2 rounded bg-panel px-1 text-xs text-muted">{duration(length)} idle</span>
        </span>
      </span>
    </li>
  );
}
