import type { Aligned } from "@/api/types";
import { KindIcon } from "@/nodes/kind";
import { Chip } from "@/ui/chip";
import { cx } from "@/ui/cx";
import { count, duration, UNKNOWN, usd } from "@/ui/format";
import { Status, type AnyStatus } from "@/ui/status";
import { delta } from "./delta";

export const COMPARE_GRID =
  "grid items-center gap-x-3 px-4 grid-cols-[minmax(90px,1fr)_minmax(90px,1fr)_104px] @min-[640px]:grid-cols-[minmax(140px,1.3fr)_minmax(110px,1.3fr)_104px_84px_104px]";

const words: Record<string, string> = { missing: "only one has it", target: "model" };

/** One step of both runs. */
export function CompareRow({
  row,
  index,
  top,
  height,
  selected,
  tabbable,
  first,
  onSelect,
}: {
  row: Aligned;
  index: number;
  top: number;
  height: number;
  selected: boolean;
  /** Whether it is the one that Tab leads to. */
  tabbable: boolean;
  first: boolean;
  onSelect: () => void;
}) {
  const { a, b, differs } = row;
  const reused = b?.reused ? "B" : a?.reused ? "A" : undefined;
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-current={selected}
      data-row={index}
      tabIndex={tabbable ? 0 : -1}
      onClick={onSelect}
      onKeyDown={(event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        onSelect();
      }}
      style={{ height, top }}
      className={cx(COMPARE_GRID, "absolute inset-x-0 cursor-pointer border-b border-line/60", selected ? "bg-selected" : "bg-panel hover:bg-hover", first && "border-l-2 border-l-accent !pl-3.5")}
    >
      <div role="cell" className="flex min-w-0 items-center gap-1.5">
        <KindIcon type={row.node_type} className="shrink-0 text-muted" />
        <span className={cx("min-w-0 truncate", differs.length > 0 && "font-medium")} title={row.step_id}>
          {row.step_id}
        </span>
        <span className="ml-auto flex shrink-0 items-center gap-1">
          {a && b && a.status !== b.status && <Status status={a.status as AnyStatus} compact />}
          {(b ?? a) && <Status status={(b ?? a)?.status as AnyStatus} compact />}
        </span>
      </div>
      <div role="cell" className="flex min-w-0 items-center gap-1 overflow-hidden">
        {first && <Chip tone="accent">first</Chip>}
        {differs.map((what) => (
          <Chip key={what} tone={what === "status" || what === "error" ? "bad" : "neutral"}>
            {what === "missing" ? (a ? "not in B" : "not in A") : (words[what] ?? what)}
          </Chip>
        ))}
        {differs.length === 0 && <span className="truncate text-muted">{reused ? `reused in ${reused}` : "the same"}</span>}
      </div>
      <Cell a={a?.latency_ms} b={b?.latency_ms} format={duration} reused={b?.reused} hide />
      <Cell a={a?.tokens} b={b?.tokens} format={count} reused={b?.reused} hide />
      <Cell a={a?.cost_nanousd} b={b?.cost_nanousd} format={usd} reused={b?.reused} />
    </div>
  );
}

function Cell({ a, b, format, reused, hide }: { a: number | null | undefined; b: number | null | undefined; format: (value: number | null | undefined) => string; reused?: boolean; hide?: boolean }) {
  const change = reused ? null : delta(a, b, format);
  return (
    <div role="cell" className={cx("num text-right", hide && "hidden @min-[640px]:block")} title={change ? `A ${format(a)}, B ${format(b)}: ${change.text}` : undefined}>
      {reused ? <span className="text-muted">reused</span> : b == null ? <span className="text-muted">{UNKNOWN}</span> : format(b)}
      {change && change.sign !== 0 && (
        <span className={change.sign > 0 ? "text-warn" : "text-ok"} aria-hidden>
          {change.sign > 0 ? " ↑" : " ↓"}
        </span>
      )}
    </div>
  );
}
