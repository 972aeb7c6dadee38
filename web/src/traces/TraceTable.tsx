import type { TraceSummary } from "@/api/types";
import { useHotkeys } from "@/ui/hotkeys";
import { useNarrow } from "@/ui/media";
import { useVirtualRows } from "@/ui/virtual";
import { useEffect, useRef, useState } from "react";
import type { Sort } from "./search";
import { SortHeader } from "./SortHeader";
import { COLUMNS, TraceRow, TRACES_GRID } from "./TraceRow";

interface Props {
  rows: readonly TraceSummary[];
  more: boolean;
  loading: boolean;
  onMore: () => void;
  inSession?: boolean;
  sort?: Sort;
  /** Absent: the list has one order. */
  onSort?: (sort: Sort | undefined) => void;
}

/** Traces, of which only those in view exist. The next page is read before the last row is reached. */
export function TraceTable({ rows, more, loading, onMore, inSession, sort, onSort }: Props) {
  const narrow = useNarrow();
  const scroll = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(-1);
  const height = narrow ? 64 : 36;
  const { virtual, focusRow } = useVirtualRows({ count: rows.length, height, scroll, active });
  const move = (by: number) => {
    if (rows.length === 0) return;
    const next = Math.min(rows.length - 1, Math.max(0, active + by));
    setActive(next);
    focusRow(next);
  };
  useHotkeys({ j: () => move(1), ArrowDown: () => move(1), k: () => move(-1), ArrowUp: () => move(-1) });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && !loading && last >= rows.length - 20) onMore();
  }, [last, rows.length, more, loading, onMore]);

  return (
    <div ref={scroll} className="min-h-0 flex-1 overflow-auto" tabIndex={-1}>
      <div role="table" aria-label="Traces" aria-rowcount={more ? -1 : rows.length + 1} className="sm:min-w-[1020px]">
        <div role="row" aria-rowindex={1} className={narrow ? "sr-only" : `${TRACES_GRID} sticky top-0 z-10 h-7 border-b border-line bg-bg text-xs text-muted`}>
          {COLUMNS.map(({ name, number, sort: key }) =>
            key && onSort && !narrow ? (
              <SortHeader key={name} name={name} number={number} by={key} sort={sort} onSort={onSort} />
            ) : (
              <div key={name} role="columnheader" className={number ? "text-right" : undefined}>
                {name === "Session" && inSession ? <span className="sr-only">{name}</span> : name}
              </div>
            ),
          )}
        </div>
        <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
          {items.map((item) => {
            const trace = rows[item.index];
            return (
              trace && (
                <TraceRow
                  key={trace.trace_id}
                  trace={trace}
                  narrow={narrow}
                  index={item.index}
                  top={item.start}
                  height={height}
                  onFocus={() => setActive(item.index)}
                  inSession={inSession}
                />
              )
            );
          })}
        </div>
      </div>
    </div>
  );
}
