import { api } from "@/api/client";
import type { RunSummary, WorkflowSummary } from "@/api/types";
import { Button, IconButton } from "@/ui/button";
import { cx } from "@/ui/cx";
import { duration, exactTime, UNKNOWN, usd } from "@/ui/format";
import { statusFill, statusWord } from "@/ui/status";
import { Ago } from "@/ui/time";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Download, Play, Trash2 } from "lucide-react";
import { exportWorkflow } from "./export";
import { statsOf } from "./stats";

export const WORKFLOWS_GRID =
  "grid items-center gap-x-4 px-4 grid-cols-[minmax(200px,1.6fr)_172px_72px_72px_100px_88px_150px]";

/** Enough runs for a p99 that is not just the slowest of twenty. */
const SAMPLE = 100;

interface Props {
  workflow: WorkflowSummary;
  index: number;
  top: number;
  height: number;
  narrow: boolean;
  onFocus: () => void;
  onRun: () => void;
  onDelete: () => void;
}

export function WorkflowRow({ workflow, index, top, height, narrow, onFocus, onRun, onDelete }: Props) {
  const { data } = useQuery({
    queryKey: ["runs", "stats", workflow.id],
    queryFn: ({ signal }) => api.runs({ workflow_id: workflow.id, limit: SAMPLE }, signal),
    select: (page) => statsOf(page.runs),
    staleTime: 5_000,
    refetchInterval: 10_000,
  });
  const never = "No run has ended yet";
  const sample = `of the latest ${SAMPLE} runs at most`;
  const name = (
    <Link
      to="/workflows/$id/edit"
      params={{ id: workflow.id }}
      onFocus={onFocus}
      title={workflow.description ?? workflow.name}
      className="flex min-w-0 gap-1 font-medium hover:underline"
    >
      <span className="truncate">{workflow.name}</span>
      <span className="num font-normal text-muted">{" v"}{workflow.version}</span>
    </Link>
  );
  const actions = (
    <div className="flex items-center justify-end">
      <Button onClick={onRun} aria-label={`Run ${workflow.name}`}>
        <Play size={13} aria-hidden />
        Run
      </Button>
      <IconButton label={`Export ${workflow.name}`} onClick={() => void exportWorkflow(workflow)}>
        <Download size={14} aria-hidden />
      </IconButton>
      <IconButton label={`Delete ${workflow.name}`} onClick={onDelete}>
        <Trash2 size={14} aria-hidden />
      </IconButton>
    </div>
  );
  const shared = { role: "row", "aria-rowindex": index + 2, "data-row": index, style: { height, transform: `translateY(${top}px)` } };

  if (narrow) {
    return (
      <div {...shared} className="absolute inset-x-0 flex items-center gap-2 border-b border-line bg-panel px-4">
        <div role="cell" className="flex min-w-0 flex-1 flex-col gap-1">
          {name}
          <Strip workflow={workflow} runs={data?.latest ?? []} />
        </div>
        <div role="cell">{actions}</div>
      </div>
    );
  }
  return (
    <div {...shared} className={cx(WORKFLOWS_GRID, "absolute inset-x-0 border-b border-line bg-panel hover:bg-hover focus-within:bg-hover")}>
      <div role="cell" className="flex min-w-0 flex-col">
        {name}
        {workflow.description && <span className="truncate text-xs text-muted">{workflow.description}</span>}
      </div>
      <div role="cell">{data && <Strip workflow={workflow} runs={data.latest} />}</div>
      <div role="cell" className="num text-right" title={data?.p50 === undefined ? never : sample}>
        {data?.p50 === undefined ? UNKNOWN : duration(data.p50)}
      </div>
      <div role="cell" className="num text-right" title={data?.p99 === undefined ? never : sample}>
        {data?.p99 === undefined ? UNKNOWN : duration(data.p99)}
      </div>
      <div role="cell" className="num text-right" title={data?.cost === undefined ? "No run with a known cost has ended yet" : `mean ${sample}`}>
        {data?.cost === undefined ? UNKNOWN : usd(data.cost)}
      </div>
      <div role="cell">
        <Ago at={workflow.updated_at} className="text-muted" />
      </div>
      <div role="cell">{actions}</div>
    </div>
  );
}

/** The latest runs from old to new, a mark each: tall for failed, so that it shows without colour too. */
function Strip({ workflow, runs }: { workflow: WorkflowSummary; runs: RunSummary[] }) {
  if (runs.length === 0) return <span className="text-xs text-muted">never run</span>;
  const failed = runs.filter((run) => run.status === "failed").length;
  return (
    <Link
      to="/runs"
      search={{ workflow: workflow.id }}
      aria-label={`Runs of ${workflow.name}: ${failed} of the latest ${runs.length} failed`}
      className="flex h-5 w-fit items-center gap-0.5"
    >
      {runs.toReversed().map((run) => (
        <span
          key={run.id}
          title={`${statusWord(run.status)}, ${exactTime(run.started_at)}`}
          className={cx("w-1.5 rounded-[1px]", run.status === "failed" ? "h-4" : "h-2.5", statusFill(run.status))}
        />
      ))}
    </Link>
  );
}
