import { versionQuery } from "@/api/queries";
import type { RunSummary } from "@/api/types";
import { WorkflowName } from "@/nodes/WorkflowName";
import { IconButton } from "@/ui/button";
import { Chip } from "@/ui/chip";
import { cx } from "@/ui/cx";
import { count, duration, firstLine, shortId, usd } from "@/ui/format";
import { runStatus, Status, statusFill, statusWord } from "@/ui/status";
import { Cell, Line, type Column } from "@/ui/table";
import { Ago } from "@/ui/time";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleStop } from "lucide-react";
import { useCancelRun } from "./useCancelRun";

export const COLUMNS: readonly Column[] = [
  { name: "Compare", width: "16px", silent: true },
  { name: "Status", width: "150px" },
  { name: "Workflow", width: "minmax(180px,1.5fr)" },
  { name: "What broke", width: "minmax(120px,1.3fr)" },
  { name: "Started", width: "84px" },
  { name: "Duration", width: "128px" },
  { name: "Tokens", width: "60px", number: true },
  { name: "Cost", width: "92px", number: true },
  { name: "Retries", width: "52px", number: true },
  { name: "Actions", width: "28px", silent: true },
];

interface Props {
  run: RunSummary;
  name: string | undefined;
  longest: number;
  narrow: boolean;
  now: number;
  /** Whether it is one of the two to compare. */
  picked: boolean;
  onPick: (id: string) => void;
}

export function RunRow({ run, name, longest, narrow, now, picked, onPick }: Props) {
  // Where every run is simulated the rail says so once.
  const simulating = useQuery(versionQuery).data?.simulated;
  const status = runStatus(run);
  const active = run.status === "queued" || run.status === "running";
  const elapsed = run.total_latency_ms ?? (active ? Math.max(0, now - Date.parse(run.started_at)) : null);
  const cost = run.cost_complete ? usd(run.total_cost_nanousd) : `≥ ${usd(run.total_cost_nanousd)}`;
  const costTitle = run.cost_complete ? undefined : "Some call has no known price: the cost is at least this.";

  const title = (
    <Link
      to="/runs/$id"
      params={{ id: run.id }}
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
  if (narrow) {
    return (
      <>
        <Line>
          {pick}
          <Status status={status} compact />
          {title}
          <span className="num ml-auto text-muted">{duration(elapsed)}</span>
        </Line>
        <Line small>
          {broke ?? (
            <span className="num truncate text-muted">
              {run.waits_for && <span className="text-warn">{statusWord(status)} · </span>}
              {count(run.total_tokens)} tokens · {cost}
            </span>
          )}
          <Ago at={run.started_at} className="ml-auto shrink-0 text-muted" />
        </Line>
      </>
    );
  }
  return (
    <>
      <Cell className="flex">{pick}</Cell>
      <Cell className="flex">
        <Status status={status} />
      </Cell>
      <Cell className="flex items-center gap-1.5">
        {title}
        {run.simulated && !simulating && <Chip title="The models were simulated: no money was spent">sim</Chip>}
        {run.cache_hits > 0 && (
          <Chip tone="cache" title={`${run.cache_hits} answered by the cache`}>
            {run.cache_hits} cached
          </Chip>
        )}
      </Cell>
      <Cell>{broke}</Cell>
      <Cell>
        <Ago at={run.started_at} className="text-muted" />
      </Cell>
      <Cell className="flex items-center gap-2">
        <span className="h-1.5 w-14 shrink-0 overflow-hidden rounded-full bg-raised" aria-hidden>
          <span
            className={cx("block h-full rounded-full", statusFill(status))}
            style={{ width: `${Math.min(100, Math.max(2, ((elapsed ?? 0) / longest) * 100))}%` }}
          />
        </span>
        <span className="num">{duration(elapsed)}</span>
      </Cell>
      <Cell number>{count(run.total_tokens)}</Cell>
      <Cell number title={costTitle}>
        {cost}
      </Cell>
      <Cell number>{run.retries === 0 ? <span className="text-muted">0</span> : <span className="text-warn">{count(run.retries)}</span>}</Cell>
      <Cell>{active && <CancelButton id={run.id} />}</Cell>
    </>
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
