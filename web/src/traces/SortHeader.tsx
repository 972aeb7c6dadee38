import { cx } from "@/ui/cx";
import { ArrowDown, ArrowUp } from "lucide-react";

/** The head of a column that sorts by it: from the highest, from the lowest, and then in the list's own order again. */
export function SortHeader<K extends string>({ name, number, by, sort, onSort }: { name: string; number?: boolean; by: K; sort: string | undefined; onSort: (sort: K | `-${K}` | undefined) => void }) {
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
