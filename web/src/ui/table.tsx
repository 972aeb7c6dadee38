import { useEffect, useRef, type ReactNode } from "react";
import { useHotkeys } from "./hotkeys";
import { useVirtualRows } from "./virtual";

export interface Column {
  name: string;
  /** Of numbers, which stand at the right. */
  number?: boolean;
  /** The name is only for screen readers. */
  silent?: boolean;
}

/** Where a row stands; all of it goes to the element with `role="row"`, as `data-row`, `aria-rowindex` and its style. */
export interface RowPlace {
  index: number;
  top: number;
  height: number;
  onFocus: () => void;
}

/**
 * A table of which only the rows in view exist. The arrow keys and j, k go from row to row; the next page is asked for before
 * the last row is reached.
 */
export function VirtualTable<T>({
  label,
  grid,
  columns,
  rows,
  height,
  narrow,
  active,
  onActive,
  more = false,
  loading = false,
  onMore,
  children,
}: {
  label: string;
  /** The classes of a row: a grid with a column each. */
  grid: string;
  columns: readonly Column[];
  rows: readonly T[];
  height: number;
  /** Without columns: a row says everything in a few lines. */
  narrow: boolean;
  /** The row that the keyboard is at; -1 before it was used. */
  active: number;
  onActive: (index: number) => void;
  /** Whether there are rows after the last one. */
  more?: boolean;
  loading?: boolean;
  onMore?: () => void;
  children: (row: T, place: RowPlace) => ReactNode;
}) {
  const scroll = useRef<HTMLDivElement>(null);
  const { virtual, focusRow } = useVirtualRows({ count: rows.length, height, scroll, active });
  const move = (by: number) => {
    if (rows.length === 0) return;
    const next = Math.min(rows.length - 1, Math.max(0, active + by));
    onActive(next);
    focusRow(next);
  };
  useHotkeys({ j: () => move(1), ArrowDown: () => move(1), k: () => move(-1), ArrowUp: () => move(-1) });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && !loading && last >= rows.length - 20) onMore?.();
  }, [last, rows.length, more, loading, onMore]);

  return (
    <div ref={scroll} className="min-h-0 flex-1 overflow-auto" tabIndex={-1}>
      <div role="table" aria-label={label} aria-rowcount={more ? -1 : rows.length + 1}>
        <div role="row" aria-rowindex={1} className={narrow ? "sr-only" : `${grid} sticky top-0 z-10 h-7 border-b border-line bg-bg text-xs text-muted`}>
          {columns.map(({ name, number, silent }) => (
            <div key={name} role="columnheader" className={number ? "text-right" : undefined}>
              {silent ? <span className="sr-only">{name}</span> : name}
            </div>
          ))}
        </div>
        <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
          {items.map(({ index, start }) => {
            const row = rows[index];
            return row === undefined ? null : children(row, { index, top: start, height, onFocus: () => onActive(index) });
          })}
        </div>
      </div>
    </div>
  );
}
