import type { Step, TraceEvent } from "@/api/types";
import { KindIcon } from "@/nodes/kind";
import { cx } from "@/ui/cx";
import { count, duration, usd } from "@/ui/format";
import { StatusIcon } from "@/ui/status";
import { useWidth } from "@/ui/width";
import { ChevronDown, ChevronRight } from "lucide-react";
import { memo, useCallback, useMemo, useRef, type ReactElement } from "react";
import { AttemptBars } from "./AttemptBars";
import { attemptsOf, ms } from "./attempts";
import { GroupNote } from "./GroupNote";
import { Minimap } from "./Minimap";
import { describeRow, RowName } from "./RowName";
import { costOf, indent, tokensOf, tookOf, type PathRow } from "./rows";
import { marksOf, placeMarks, type Mark } from "./marks";
import { makeScale, roomy, type Scale, type Span } from "./scale";
import { isRemarkable, StepChips } from "./StepChips";
import { useGroups, type Groups } from "./useGroups";
import { useNow } from "./useNow";
import { GROUPED_ROW, useGroupedRows, type ViewProps } from "./useRows";
import { useThrottled } from "./useThrottled";
import type { RunData } from "./useRun";

/** Above this many steps the bars of the whole run would be slivers: the time axis fits the rows in view. */
const FIT_ABOVE = 60;

/** The waterfall of a run. */
export function TimelineView({ data, selected, onSelect }: ViewProps & { data: RunData }) {
  const groups = useGroups(data.steps, selected, data.run?.failed_step);
  return <Timeline data={data} groups={groups} runStart={data.run ? ms(data.run.started_at) : 0} onSelect={onSelect} />;
}

interface TimelineProps {
  data: Pick<RunData, "steps" | "eventsOf" | "live" | "lastTime">;
  groups: Groups;
  /** Milliseconds since the epoch. */
  runStart: number;
  onSelect: ViewProps["onSelect"];
}

/** The waterfall: a row for each step, a bar for each attempt; a closed group is one bar over all that is in it. */
export function Timeline({ data, groups, runStart, onSelect }: TimelineProps) {
  const { steps, eventsOf, live, lastTime } = data;
  const now = useNow(live, lastTime);
  const { rows, selectedIndex, toggle, onKey } = groups;
  const { scroll, virtual, active, onFocusRow, placed, nested, deepest } = useGroupedRows(groups, live, onSelect);
  const items = virtual.getVirtualItems();

  const runEnd = live ? now : lastTime;
  const fits = rows.length > FIT_ABOVE;
  // A new scale draws every row again, so that while the rows move it follows now and then.
  const [firstRow, lastRow] = useThrottled(items[0]?.index ?? 0, items.at(-1)?.index ?? 0, 400);
  const scale = useMemo(() => {
    const shown = fits ? rows.slice(firstRow, lastRow + 1) : rows;
    const busy = shown.flatMap((row) => busyOf(row, fits ? undefined : eventsOf.get(row.path), live ? undefined : runEnd, runEnd));
    if (!fits || busy.length === 0) return makeScale(runStart, live ? roomy(runStart, runEnd) : Math.max(runEnd, runStart + 1), busy);
    const start = busy.reduce((least, span) => Math.min(least, span.start), Infinity);
    const end = busy.reduce((most, span) => Math.max(most, span.end), start + 1);
    // While it is live there is room at the end, so that not every moment makes a new scale.
    return makeScale(start, live ? roomy(start, end) : end, busy);
  }, [fits, firstRow, lastRow, rows, eventsOf, live, runStart, runEnd]);
  const marks = useMemo(() => marksOf(scale, runStart, runEnd, (fold) => waitedFor(steps, fold)), [scale, runStart, runEnd, steps]);
  const choose = useCallback((row: PathRow) => (row.step ? onSelect(row.path) : toggle(row)), [onSelect, toggle]);

  return (
    <div className="@container flex min-h-0 flex-1 flex-col">
      {fits && <Minimap rows={rows} start={runStart} end={live ? Math.ceil(runEnd / 1000) * 1000 : runEnd} from={scale.start} to={scale.end} onPick={(index) => virtual.scrollToIndex(index, { align: "center" })} />}
      <div className={cx(GRID, "h-6 shrink-0 border-b border-line text-xs text-muted")} aria-hidden>
        <span>Step</span>
        <Axis marks={marks} />
        <span className="text-right">Time</span>
        <span className="hidden text-right @min-[760px]:block">Tokens</span>
        <span className="hidden text-right @min-[760px]:block">Cost</span>
      </div>
      <div ref={scroll} className="min-h-0 flex-1 overflow-y-auto bg-bg" tabIndex={-1}>
        {rows.length === 0 && <p className="px-4 py-8 text-center text-muted">{live ? "No step has begun yet." : "The run ended before any step began."}</p>}
        <ol aria-label="Steps" className="relative" style={{ height: virtual.getTotalSize() }}>
          {scale.folds.map((fold) => (
            <FoldMark key={fold.start} from={fold.from} to={fold.to} />
          ))}
          {placed.map(({ index, top, slot }) => {
            const row = rows[index];
            if (!row) return null;
            const { path, step, sum } = row;
            return (
              <Row
                key={slot}
                index={index}
                top={top}
                row={row}
                step={step}
                events={eventsOf.get(path)}
                scale={scale}
                now={(step ? step.finished_at : sum?.end) ? 0 : now}
                runEnd={live ? undefined : lastTime}
                nested={nested}
                deepest={deepest}
                selected={index === selectedIndex}
                tabbable={index === Math.max(active, 0)}
                onChoose={choose}
                onToggle={toggle}
                onKey={onKey}
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
  "grid items-center gap-x-3 px-4 grid-cols-[minmax(112px,40%)_1fr_78px] @min-[760px]:grid-cols-[minmax(180px,34%)_1fr_84px_76px_92px]";

const kinds = new Map<string, ReactElement>();

/** The same element each time, as with {@link StatusIcon}. */
function kindIcon(type: string): ReactElement {
  let icon = kinds.get(type);
  if (!icon) kinds.set(type, (icon = <KindIcon type={type} className="shrink-0 text-muted" />));
  return icon;
}

interface RowProps {
  index: number;
  top: number;
  row: PathRow;
  step: Step | undefined;
  events: TraceEvent[] | undefined;
  scale: Scale;
  now: number;
  runEnd: number | undefined;
  nested: boolean;
  deepest: number;
  selected: boolean;
  tabbable: boolean;
  onChoose: (row: PathRow) => void;
  onToggle: (row: PathRow) => void;
  onKey: (event: React.KeyboardEvent, row: PathRow) => void;
  onFocus: (index: number) => void;
}

/** Rows are made anew with every reading; what they show of a step that stands still is the same. */
const same = (a: RowProps, b: RowProps) =>
  (Object.keys(b) as (keyof RowProps)[]).every((name) =>
    name === "row" ? a.row === b.row || (!a.row.sum && !b.row.sum && a.row.path === b.row.path && a.row.depth === b.row.depth && a.row.label === b.row.label) : a[name] === b[name],
  );

const Row = memo(function Row({ index, top, row, step, events, scale, now, runEnd, nested, deepest, selected, tabbable, onChoose, onToggle, onKey, onFocus }: RowProps) {
  const attempts = useMemo(() => attemptsOf(events, runEnd), [events, runEnd]);
  const { sum, children, open } = row;
  const started = step ? step.started_at : sum?.start;
  const finished = step ? step.finished_at : sum?.end;
  const start = started ? ms(started) : null;
  const end = finished ? ms(finished) : null;
  const elapsed = tookOf(row) ?? (start !== null && end === null ? now - start : null);
  const [tokens, cost] = [tokensOf(row), costOf(row)];
  const skipped = step?.status === "skipped";
  const Chevron = open ? ChevronDown : ChevronRight;
  return (
    <li className="absolute inset-x-0 [contain:size_layout_style]" style={{ height: GROUPED_ROW, top }}>
      <button
        type="button"
        data-row={index}
        tabIndex={tabbable ? 0 : -1}
        aria-current={selected ? "true" : undefined}
        aria-expanded={children > 0 ? open : undefined}
        aria-label={describeRow(row, elapsed)}
        onClick={() => onChoose(row)}
        onKeyDown={(event) => onKey(event, row)}
        onFocus={() => onFocus(index)}
        className={cx(GRID, "h-full w-full border-b border-line/60 text-left", selected ? "bg-selected" : "hover:bg-hover", skipped && "text-muted")}
      >
        <span className="flex min-w-0 items-center gap-1.5" style={row.depth > 0 ? { paddingLeft: indent(row, deepest, 16) } : undefined}>
          {children > 0 ? (
            <span
              className="-m-1 shrink-0 p-1 text-muted hover:text-text"
              onClick={(event) => {
                event.stopPropagation();
                onToggle(row);
              }}
            >
              <Chevron size={14} aria-hidden />
            </span>
          ) : (
            nested && <span className="w-3.5 shrink-0" />
          )}
          {step && <StatusIcon status={step.status} />}
          {step && <span className="hidden shrink-0 @min-[480px]:block">{kindIcon(step.node_type)}</span>}
          <RowName row={row} />
          {(sum || (step && isRemarkable(step, events))) && (
            <span className="hidden h-[18px] min-w-0 shrink-[8] flex-wrap items-center gap-1 overflow-hidden @min-[480px]:flex">
              {sum && <GroupNote rows={children} sum={sum} />}
              {step && <StepChips step={step} events={events} />}
            </span>
          )}
        </span>
        <span className="relative h-full min-w-0" aria-hidden>
          <AttemptBars attempts={attempts} start={start} end={end} now={now} scale={scale} failed={step ? step.status === "failed" : (sum?.failed ?? 0) > 0} />
        </span>
        <span className="num text-right">{skipped ? <span className="text-xs">skipped</span> : duration(elapsed)}</span>
        {(tokens !== null || cost !== null) && (
          <>
            <span className="num hidden text-right @min-[760px]:block">{tokens === null ? "" : count(tokens)}</span>
            <span className="num hidden text-right @min-[760px]:block">{cost === null ? "" : usd(cost)}</span>
          </>
        )}
      </button>
    </li>
  );
}, same);

/** When a row was at work. Backoff between two attempts is a wait, and so is an approval; an open group speaks through its rows. */
function busyOf({ step, sum, open }: PathRow, events: TraceEvent[] | undefined, attemptsEnd: number | undefined, runEnd: number): Span[] {
  if (open) return [];
  const attempts = attemptsOf(events, attemptsEnd);
  if (attempts.length > 0) return attempts.map(({ start, end }) => ({ start, end: end ?? runEnd }));
  if (step && WAITS[step.node_type] && !sum) return [];
  const start = step?.started_at ?? sum?.start;
  const end = step ? step.finished_at : sum?.end;
  return start ? [{ start: ms(start), end: end ? ms(end) : runEnd }] : [];
}

/** Kinds of nodes that wait, and for what. Nobody works meanwhile, so that their time is folded. */
const WAITS: Record<string, string> = { approval: "waiting for approval", wait: "waiting" };

/** What the run waited for in a stretch without work, where a step says so. */
function waitedFor(steps: readonly Step[], fold: Span): string | undefined {
  const step = steps.find(
    (each) => WAITS[each.node_type] && each.started_at && ms(each.started_at) <= fold.start + 1 && (!each.finished_at || ms(each.finished_at) >= fold.end - 1),
  );
  return step && WAITS[step.node_type];
}

function Axis({ marks }: { marks: readonly Mark[] }) {
  const box = useRef<HTMLSpanElement>(null);
  const width = useWidth(box);
  return (
    <span ref={box} className="relative h-full min-w-0">
      {placeMarks(marks, width).map(({ text, left, at, centred }, index) => (
        // By its turn: the text of a wait that goes on changes with every moment, and the element stays.
        <span key={index}>
          {!centred && <span className="absolute inset-y-0 border-l border-line" style={{ left: `${at * 100}%` }} />}
          <span className={cx("num absolute top-1 px-1", centred && "rounded bg-raised")} style={{ left }}>
            {text}
          </span>
        </span>
      ))}
    </span>
  );
}

/** A folded stretch, over all rows; the axis says how long it is. */
function FoldMark({ from, to }: { from: number; to: number }) {
  return (
    <li className={cx(GRID, "pointer-events-none absolute inset-0")} aria-hidden>
      <span />
      <span className="relative h-full">
        <span className="absolute inset-y-0 border-x border-dashed border-line-strong/50 bg-raised/60" style={{ left: `${from * 100}%`, width: `${(to - from) * 100}%` }} />
      </span>
    </li>
  );
}
