import { ArrowDown, ArrowUp } from "lucide-react";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { Button } from "./button";
import { cx } from "./cx";
import { EmptyState, SkeletonRows } from "./feedback";
import { useHotkeys, type Hotkeys } from "./hotkeys";
import { useNarrow } from "./media";
import { useVirtualRows } from "./virtual";

export interface Column<K extends string = string> {
  name: string;
  /** Its track in the grid. */
  width: string;
  /** Of numbers, which stand at the right. */
  number?: boolean;
  /** The name is only for screen readers. */
  silent?: boolean;
  /** The key under which the API sorts by the column. */
  sort?: K;
}

type Order<K extends string> = K | `-${K}` | undefined;

/** Rows that are read page by page. */
interface Pages {
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  error: Error | null;
  fetchNextPage: () => unknown;
}

interface Props<T, K extends string> {
  /** What the rows are, in the plural. */
  label: string;
  columns: readonly Column<K>[];
  /** Absent: nothing was read yet. */
  rows: readonly T[] | undefined;
  /** Whether they could not be read: the page says so above. */
  failed: boolean;
  keyOf: (row: T) => string;
  /** Pixels of a row that has columns. */
  height?: number;
  pages?: Pages;
  sort?: string;
  onSort?: (sort: Order<K>) => void;
  /** What a click on a row does, beside its links. */
  onOpen?: (row: T) => void;
  /** Keys for the row that the keyboard is at. */
  keys?: Record<string, (row: T) => void>;
  /** What stands instead of no rows. */
  empty: ReactNode;
  /** The cells of a row: one a column, or where it is too narrow for columns a few lines. */
  children: (row: T, narrow: boolean) => ReactNode;
}

/** A list of any length with the states that it goes through: not read yet, without rows, and with rows. */
export function Table<T, K extends string>(props: Props<T, K>) {
  const { label, rows, failed, height = 36, pages, empty } = props;
  const narrow = useNarrow();
  const rowHeight = narrow ? 64 : height;
  const what = label.toLowerCase();
  if (!rows) return failed ? null : <SkeletonRows rows={14} height={rowHeight} label={`Loading the ${what}`} />;
  if (rows.length > 0) return <Rows {...props} rows={rows} height={rowHeight} narrow={narrow} />;
  if (!pages?.hasNextPage) return empty;
  return (
    <EmptyState title="Nothing so far" action={<Button disabled={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>Search on</Button>}>
      {`The search has not been through all ${what} yet.`}
    </EmptyState>
  );
}

const GRID = "grid items-center gap-x-3 px-4";

/** Only the rows in view exist. The arrow keys and j, k go from row to row; the next page is asked for before the last row is reached. */
function Rows<T, K extends string>({ label, columns, rows, keyOf, height, narrow, pages, sort, onSort, onOpen, keys = {}, children }: Props<T, K> & { rows: readonly T[]; height: number; narrow: boolean }) {
  const scroll = useRef<HTMLDivElement>(null);
  // The row that the keyboard is at. Rows that come in above it move it down.
  const [at, setAt] = useState<{ index: number; key?: string }>({ index: -1 });
  const there = rows[at.index];
  const found = at.key === undefined || (there && keyOf(there) === at.key) ? at.index : rows.findIndex((row) => keyOf(row) === at.key);
  const active = found >= 0 ? found : Math.min(at.index, rows.length - 1);
  const goTo = (index: number) => {
    const row = rows[index];
    if (row) setAt({ index, key: keyOf(row) });
  };
  const { virtual, focusRow } = useVirtualRows({ count: rows.length, height, scroll, active });
  const move = (by: number) => {
    const next = Math.min(rows.length - 1, Math.max(0, active + by));
    goTo(next);
    focusRow(next);
  };
  const onRow = Object.entries(keys).map(([key, act]): [string, Hotkeys[string]] => {
    const row = rows[active];
    return [key, () => (row ? act(row) : false)];
  });
  useHotkeys({ ...Object.fromEntries(onRow), j: () => move(1), ArrowDown: () => move(1), k: () => move(-1), ArrowUp: () => move(-1) });

  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  const { hasNextPage = false, isFetchingNextPage, error, fetchNextPage } = pages ?? {};
  useEffect(() => {
    // After a failure the next page waits for Retry.
    if (hasNextPage && !isFetchingNextPage && !error && last >= rows.length - 20) void fetchNextPage?.();
  }, [last, rows.length, hasNextPage, isFetchingNextPage, error, fetchNextPage]);

  const gridTemplateColumns = narrow ? undefined : columns.map((column) => column.width).join(" ");
  return (
    <div ref={scroll} className="min-h-0 flex-1 overflow-auto" tabIndex={-1}>
      {/* The head says how narrow the columns can be: the rows, which stand where they are put, do not. */}
      <div role="table" aria-label={label} aria-rowcount={hasNextPage ? -1 : rows.length + 1} className="min-w-min">
        <div role="row" aria-rowindex={1} className={narrow ? "sr-only" : cx(GRID, "sticky top-0 z-10 h-7 border-b border-line bg-bg text-xs text-muted")} style={{ gridTemplateColumns }}>
          {columns.map(({ name, number, silent, sort: by }) =>
            by && onSort && !narrow ? (
              <SortHeader key={name} name={name} number={number} by={by} sort={sort} onSort={onSort} />
            ) : (
              <div key={name} role="columnheader" className={number ? "text-right" : undefined}>
                {silent ? <span className="sr-only">{name}</span> : name}
              </div>
            ),
          )}
        </div>
        <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
          {items.map(({ index, start }) => {
            const row = rows[index];
            return (
              row !== undefined && (
                <div
                  key={keyOf(row)}
                  role="row"
                  aria-rowindex={index + 2}
                  data-row={index}
                  onFocus={() => goTo(index)}
                  onClick={(event) => {
                    if (!(event.target as Element).closest("a,button,input") && !getSelection()?.toString()) onOpen?.(row);
                  }}
                  className={cx("absolute inset-x-0 cursor-default border-b border-line bg-panel focus-within:bg-hover", narrow ? "flex flex-col justify-center gap-0.5 px-4" : `${GRID} hover:bg-hover`)}
                  style={{ height, transform: `translateY(${start}px)`, gridTemplateColumns }}
                >
                  {children(row, narrow)}
                </div>
              )
            );
          })}
        </div>
      </div>
    </div>
  );
}

/** The head of a column that sorts by it: from the highest, from the lowest, and then in the list's own order again. */
function SortHeader<K extends string>({ name, number, by, sort, onSort }: { name: string; number?: boolean; by: K; sort: string | undefined; onSort: (sort: Order<K>) => void }) {
  const down = sort === `-${by}`;
  const up = sort === by;
  return (
    <div role="columnheader" aria-sort={down ? "descending" : up ? "ascending" : undefined} className={cx("min-w-0", number && "text-right")}>
      <button
        type="button"
        title={down ? "Lowest first" : up ? "In the order of the list" : "Highest first"}
        onClick={() => onSort(down ? by : up ? undefined : `-${by}`)}
        className={cx("inline-flex max-w-full items-center gap-0.5 rounded hover:text-text", (down || up) && "font-semibold text-text")}
      >
        {name}
        {down && <ArrowDown size={11} aria-hidden />}
        {up && <ArrowUp size={11} aria-hidden />}
      </button>
    </div>
  );
}

/** A cell; what it holds is cut off at its edge where it says `truncate`. */
export function Cell({ number, title, className, children }: { number?: boolean; title?: string; className?: string; children?: ReactNode }) {
  return (
    <div role="cell" title={title} className={cx(number ? "num text-right" : "min-w-0", className)}>
      {children}
    </div>
  );
}

/** A line of a row that has no columns. `small`: the line under the first one. */
export function Line({ small, children }: { small?: boolean; children: ReactNode }) {
  return <Cell className={cx("flex items-center gap-2", small && "text-xs")}>{children}</Cell>;
}
