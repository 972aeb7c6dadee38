import { api } from "@/api/client";
import type { RunSummary, WorkflowSummary } from "@/api/types";
import { Button, IconButton } from "@/ui/button";
import { cx } from "@/ui/cx";
import { duration, exactTime, usd } from "@/ui/format";
import { runStatus, statusFill, statusWord } from "@/ui/status";
import { Cell, type Column } from "@/ui/table";
import { Ago } from "@/ui/time";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Download, Play, Trash2 } from "lucide-react";
import { exportWorkflow } from "./export";
import { statsOf } from "./stats";

export const COLUMNS: readonly Column[] = [
  { name: "Name", width: "minmax(200px,1.6fr)" },
  { name: "Latest runs", width: "172px" },
  { name: "p50", width: "72px", number: true },
  { name: "p99", width: "72px", number: true },
  { name: "Cost per run", width: "100px", number: true },
  { name: "Changed", width: "88px" },
  { name: "Actions", width: "150px", silent: true },
];

/** Enough runs for a p99 that is not just the slowest of twenty. */
const SAMPLE = 100;

interface Props {
  workflow: WorkflowSummary;
  narrow: boolean;
  onRun: () => void;
  onDelete: () => void;
}

export function WorkflowRow({ workflow, narrow, onRun, onDelete }: Props) {
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
  if (narrow) {
    return (
      <div className="flex items-center gap-2">
        <Cell className="flex flex-1 flex-col gap-1">
          {name}
          <Strip workflow={workflow} runs={data?.latest ?? []} />
        </Cell>
        <Cell className="shrink-0">{actions}</Cell>
      </div>
    );
  }
  return (
    <>
      <Cell className="flex flex-col">
        {name}
        {workflow.description && <span className="truncate text-xs text-muted">{workflow.description}</span>}
      </Cell>
      <Cell>{data && <Strip workflow={workflow} runs={data.latest} />}</Cell>
      <Cell number title={data?.p50 === undefined ? never : sample}>
        {duration(data?.p50)}
      </Cell>
      <Cell number title={data?.p99 === undefined ? never : sample}>
        {duration(data?.p99)}
      </Cell>
      <Cell number title={data?.cost === undefined ? "No run with a known cost has ended yet" : `mean ${sample}`}>
        {usd(data?.cost)}
      </Cell>
      <Cell>
        <Ago at={workflow.updated_at} className="text-muted" />
      </Cell>
      <Cell>{actions}</Cell>
    </>
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
          title={`${statusWord(runStatus(run))}, ${exactTime(run.started_at)}`}
          className={cx("w-1.5 rounded-[1px]", run.status === "failed" ? "h-4" : "h-2.5", statusFill(runStatus(run)))}
        />
      ))}
    </Link>
  );
}
