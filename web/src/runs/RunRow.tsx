import { versionQuery } from "@/api/queries";
import type { RunSummary } from "@/api/types";
import { WorkflowName } from "@/nodes/WorkflowName";
import { IconButton } from "@/ui/button";
import { Chip } from "@/ui/chip";
import { cx } from "@/ui/cx";
import { count, duration, firstLine, shortId, usd } from "@/ui/format";
import { Status, statusFill } from "@/ui/status";
import { Ago } from "@/ui/time";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { CircleStop } from "lucide-react";
import { useCancelRun } from "./useCancelRun";

export const RUNS_GRID =
  "grid items-center gap-x-3 px-4 grid-cols-[16px_96px_minmax(180px,1.5fr)_minmax(120px,1.3fr)_84px_128px_60px_92px_52px_28px]";

interface Props {
  run: RunSummary;
  name: string | undefined;
  longest: number;
  narrow: boolean;
  index: number;
  top: number;
  height: number;
  now: number;
  onFocus: () => void;
  /** Whether it is one of the two to compare. */
  picked: boolean;
  onPick: (id: string) => void;
}

export function RunRow({ run, name, longest, narrow, index, top, height, now, onFocus, picked, onPick }: Props) {
  const navigate = useNavigate();
  // Where every run is simulated the rail says so once.
  const simulating = useQuery(versionQuery).data?.simulated;
  const active = run.status === "queued" || run.status === "running";
  const elapsed = run.total_latency_ms ?? (active ? Math.max(0, now - Date.parse(run.started_at)) : null);
  const cost = run.cost_complete ? usd(run.total_cost_nanousd) : `≥ ${usd(run.total_cost_nanousd)}`;
  const costTitle = run.cost_complete ? undefined : "Some call has no known price: the cost is at least this.";

  const title = (
    <Link
      to="/runs/$id"
      params={{ id: run.id }}
      onFocus={onFocus}
      className="flex min-w-0 gap-1 font-medium hover:underline"
      title={`${name ?? "A document that was not saved"}, run ${run.id}`}
    >
      <WorkflowName run={run} name={name} />
      <span className="sr-only"> run {shortId(run.id)}</span>
    </Link>
  );
  const broke = run.error_summary ? (
    <Link
      to="/runs/$id"
      params={{ id: run.id }}
      search={run.failed_step ? { step: run.failed_step } : {}}
      className="block min-w-0 truncate text-bad hover:underline"
      title={run.error_summary}
    >
      {run.failed_step && <span className="font-medium">{run.failed_step}</span>}
      {run.failed_step && ": "}
      {firstLine(run.error_summary)}
    </Link>
  ) : null;
  const pick = (
    <input
      type="checkbox"
      aria-label={`Compare run ${shortId(run.id)}`}
      title="Choose two runs to compare (x)"
      checked={picked}
      onChange={() => onPick(run.id)}
      className="size-3.5 shrink-0 accent-accent"
    />
  );
  const open = (event: React.MouseEvent) => {
    if ((event.target as Element).closest("a,button,input") || getSelection()?.toString()) return;
    void navigate({ to: "/runs/$id", params: { id: run.id } });
  };
  const shared = {
    role: "row",
    "aria-rowindex": index + 2,
    "data-row": index,
    onClick: open,
    style: { height, transform: `translateY(${top}px)` },
  };

  if (narrow) {
    return (
      <div {...shared} className="absolute inset-x-0 flex cursor-default flex-col justify-center gap-0.5 border-b border-line bg-panel px-4">
        <div role="cell" className="flex items-center gap-2">
          {pick}
          <Status status={run.status} compact />
          {title}
          <span className="num ml-auto text-muted">{duration(elapsed)}</span>
        </div>
        <div role="cell" className="flex items-center gap-2 text-xs">
          {broke ?? (
            <span className="num text-muted">
              {count(run.total_tokens)} tokens · {cost}
            </span>
          )}
          <Ago at={run.started_at} className="ml-auto shrink-0 text-muted" />
        </div>
      </div>
    );
  }
  return (
    <div {...shared} className={cx(RUNS_GRID, "absolute inset-x-0 cursor-default border-b border-line bg-panel hover:bg-hover focus-within:bg-hover")}>
      <div role="cell" className="flex">
        {pick}
      </div>
      <div role="cell" className="flex">
        <Status status={run.status} />
      </div>
      <div role="cell" className="flex min-w-0 items-center gap-1.5">
        {title}
        {run.simulated && !simulating && <Chip title="The models were simulated: no money was spent">sim</Chip>}
        {run.cache_hits > 0 && (
          <Chip tone="cache" title={`${run.cache_hits} answered by the cache`}>
            {run.cache_hits} cached
          </Chip>
        )}
      </div>
      <div role="cell" className="min-w-0">
        {broke}
      </div>
      <div role="cell">
        <Ago at={run.started_at} className="text-muted" />
      </div>
      <div role="cell" className="flex items-center gap-2">
        <span className="h-1.5 w-14 shrink-0 overflow-hidden rounded-full bg-raised" aria-hidden>
          <span
            className={cx("block h-full rounded-full", statusFill(run.status))}
            style={{ width: `${Math.min(100, Math.max(2, ((elapsed ?? 0) / longest) * 100))}%` }}
          />
        </span>
        <span className="num">{duration(elapsed)}</span>
      </div>
      <div role="cell" className="num text-right">
        {count(run.total_tokens)}
      </div>
      <div role="cell" className="num text-right" title={costTitle}>
        {cost}
      </div>
      <div role="cell" className="num text-right">
        {run.retries === 0 ? <span className="text-muted">0</span> : <span className="text-warn">{count(run.retries)}</span>}
      </div>
      <div role="cell">{active && <CancelButton id={run.id} />}</div>
    </div>
  );
}

function CancelButton({ id }: { id: string }) {
  const cancel = useCancelRun();
  return (
    <IconButton label={`Cancel run ${shortId(id)}`} disabled={cancel.isPending} onClick={() => cancel.mutate(id)}>
      <CircleStop size={15} aria-hidden />
    </IconButton>
  );
}

