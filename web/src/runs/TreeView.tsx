import { KindIcon } from "@/nodes/kind";
import { cx } from "@/ui/cx";
import { count, duration, usd } from "@/ui/format";
import { Status } from "@/ui/status";
import { ChevronDown, ChevronRight } from "lucide-react";
import { GroupNote } from "./GroupNote";
import { costOf, indent, tokensOf, tookOf } from "./rows";
import { describeRow, RowName } from "./RowName";
import { StepChips } from "./StepChips";
import { useGroups, type Groups } from "./useGroups";
import { GROUPED_ROW, useGroupedRows, type ViewProps } from "./useRows";
import type { RunData } from "./useRun";

const GRID =
  "grid items-center gap-x-3 px-4 grid-cols-[minmax(140px,1fr)_60px] @min-[640px]:grid-cols-[minmax(180px,1fr)_minmax(0,20%)_68px_76px_92px]";

const optional = (value: number | null, write: (value: number) => string) => (value === null ? "" : write(value));

/** Steps by their paths. */
export function TreeView({ data, selected, onSelect }: ViewProps & { data: RunData }) {
  const groups = useGroups(data.steps, selected, data.run?.failed_step);
  return <Tree data={data} groups={groups} onSelect={onSelect} />;
}

/** Rows under rows, with what each one took. */
export function Tree({ data, groups, onSelect }: { data: Pick<RunData, "eventsOf" | "live">; groups: Groups; onSelect: ViewProps["onSelect"] }) {
  const { eventsOf, live } = data;
  const { rows, selectedIndex, toggle, onKey } = groups;
  const { scroll, virtual, active, onFocusRow, placed, nested, deepest } = useGroupedRows(groups, live, onSelect);

  return (
    <div className="@container flex min-h-0 flex-1 flex-col">
      <div className={cx(GRID, "h-6 shrink-0 border-b border-line text-xs text-muted")} aria-hidden>
        <span>Step</span>
        <span className="hidden @min-[640px]:block">Model</span>
        <span className="text-right">Time</span>
        <span className="hidden text-right @min-[640px]:block">Tokens</span>
        <span className="hidden text-right @min-[640px]:block">Cost</span>
      </div>
      <div ref={scroll} className="min-h-0 flex-1 overflow-y-auto bg-bg" tabIndex={-1}>
        {rows.length === 0 && <p className="px-4 py-8 text-center text-muted">{live ? "No step has begun yet." : "The run ended before any step began."}</p>}
        <div role="tree" aria-label="Steps" className="relative" style={{ height: virtual.getTotalSize() }}>
          {placed.map(({ index, top, slot }) => {
            const row = rows[index];
            if (!row) return null;
            const { step, sum } = row;
            const open = () => (step ? onSelect(row.path) : toggle(row));
            const Chevron = row.open ? ChevronDown : ChevronRight;
            return (
              <div
                key={slot}
                role="treeitem"
                data-row={index}
                aria-label={describeRow(row, tookOf(row))}
                aria-level={row.depth + 1}
                aria-expanded={row.children > 0 ? row.open : undefined}
                aria-selected={index === selectedIndex}
                tabIndex={index === Math.max(active, 0) ? 0 : -1}
                onFocus={() => onFocusRow(index)}
                onClick={open}
                onKeyDown={(event) => {
                  onKey(event, row);
                  if (event.key === "Enter") open();
                }}
                className={cx(
                  GRID,
                  "absolute inset-x-0 cursor-pointer border-b border-line/60",
                  index === selectedIndex ? "bg-selected" : "hover:bg-hover",
                  step?.status === "skipped" && "text-muted",
                )}
                style={{ height: GROUPED_ROW, top: top }}
              >
                <span className="flex min-w-0 items-center gap-1.5" style={{ paddingLeft: indent(row, deepest, 18) }}>
                  {row.children > 0 ? (
                    <Chevron
                      size={14}
                      className="shrink-0 text-muted"
                      aria-hidden
                      onClick={(event) => {
                        event.stopPropagation();
                        toggle(row);
                      }}
                    />
                  ) : (
                    nested && <span className="w-3.5 shrink-0" />
                  )}
                  {step && <Status status={step.status} compact />}
                  {step && <KindIcon type={step.node_type} className="shrink-0 text-muted" />}
                  <RowName row={row} />
                  <span className="hidden min-w-0 shrink-[8] items-center gap-1 overflow-hidden @min-[480px]:flex">
                    {sum && <GroupNote rows={row.children} sum={sum} />}
                    {step && <StepChips step={step} events={eventsOf.get(row.path)} />}
                  </span>
                </span>
                <span className="hidden min-w-0 truncate text-muted @min-[640px]:block">{step?.model}</span>
                <span className="num text-right">{step?.status === "skipped" ? "" : duration(tookOf(row))}</span>
                <span className="num hidden text-right @min-[640px]:block">{optional(tokensOf(row), count)}</span>
                <span className="num hidden text-right @min-[640px]:block">{optional(costOf(row), usd)}</span>
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}
