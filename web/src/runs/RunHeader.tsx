import type { Run } from "@/api/types";
import { versionQuery } from "@/api/queries";
import { WorkflowName } from "@/nodes/WorkflowName";
import { Button, IconButton } from "@/ui/button";
import { Chip } from "@/ui/chip";
import { CopyButton, CopyId } from "@/ui/copy";
import { count, duration, firstLine, plural, usd } from "@/ui/format";
import { Crumbs, Fact } from "@/ui/page";
import { runStatus, Status } from "@/ui/status";
import { Ago } from "@/ui/time";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { History, RotateCw, TriangleAlert } from "lucide-react";
import { lazy, Suspense, useMemo } from "react";
import { attemptsOf, ms } from "./attempts";
import { curlOfRun } from "./curl";
import { errorText } from "./errorText";
import { PhaseChip, RunActions } from "./RunActions";
import { total, union } from "./scale";
import { useNow } from "./useNow";
import { useRunAgain } from "./useRunAgain";
import type { RunData } from "./useRun";
import { asks } from "./waits";
import { WaitStrip } from "./WaitStrip";

// A menu, and all that a menu brings along; only where models are simulated.
const FailNext = lazy(() => import("./FailNext").then((module) => ({ default: module.FailNext })));

interface Props {
  data: RunData;
  run: Run;
  name: string;
  onSelect: (step: string) => void;
  /** Absent: an earlier state is shown, and nothing can be said to it. */
  onTravel?: () => void;
}

/** The run at a glance: what it is, how it ended, what it took. The totals are the API's. */
export function RunHeader({ data, run, name, onSelect, onTravel }: Props) {
  const again = useRunAgain(run);
  const { data: version } = useQuery(versionQuery);
  const failedStep = data.steps.find((step) => step.step_id === run.failed_step);
  return (
    <header className="shrink-0 border-b border-line bg-panel">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 pt-2 xl:flex-nowrap">
        <Crumbs to="/runs" list="Runs" className="flex gap-1.5">
          <WorkflowName run={run} name={name}>
            {(shown) =>
              run.workflow_id ? (
                <Link to="/workflows/$id/edit" params={{ id: run.workflow_id }} className="flex min-w-0 hover:underline" title={name}>
                  {shown}
                </Link>
              ) : (
                shown
              )
            }
          </WorkflowName>
        </Crumbs>
        <span role="status" className="flex">
          <Status status={run.phase === "waiting" ? runStatus({ status: run.status, waits_for: data.steps.some(asks) ? "person" : "other" }) : run.status} />
        </span>
        <PhaseChip run={run} />
        <CopyId id={run.id} label="run id" />
        {run.replay_of && (
          <Link to="/compare" search={{ a: `span:${run.replay_of.trace_id}:${run.replay_of.span_id}`, b: run.id }} className="text-accent underline" title="It makes a model call of a trace again">
            Replay of a span
          </Link>
        )}
        {run.simulated && <Chip tone="warn" title="The models were simulated: nothing was sent out, no money was spent">simulated</Chip>}
        <div className="ml-auto flex flex-wrap items-center gap-1 xl:shrink-0">
          <span className="hidden sm:contents">
            <CopyButton text={() => curlOfRun(run, location.origin)}>Copy as curl</CopyButton>
          </span>
          {version?.simulated && (
            <Suspense fallback={null}>
              <FailNext />
            </Suspense>
          )}
          {onTravel && (
            <IconButton label="Time travel: the run after each of its events (t)" onClick={onTravel}>
              <History size={15} aria-hidden />
            </IconButton>
          )}
          {data.live ? (
            <RunActions run={run} />
          ) : onTravel && (
            <Button disabled={again.reason !== null || again.pending} title={again.reason ?? "The same workflow with the same input"} onClick={again.start}>
              <RotateCw size={14} aria-hidden />
              Run again
            </Button>
          )}
        </div>
      </div>
      <Totals data={data} run={run} />
      {data.live && <WaitStrip run={run} steps={data.steps} onSelect={onSelect} />}
      {run.error && (
        <div role="alert" className="flex items-center gap-2 border-t border-line bg-bad-soft px-4 py-1.5 text-bad">
          <TriangleAlert size={14} className="shrink-0" aria-hidden />
          <p className="line-clamp-3 min-w-0 flex-1 break-words sm:line-clamp-1" title={run.error.message}>
            {run.failed_step && <span className="font-semibold">{run.failed_step} failed: </span>}
            {firstLine(errorText(run.error))}
            {failedStep && failedStep.attempts > 1 && ` (after ${failedStep.attempts} attempts)`}
          </p>
          {run.failed_step && (
            <Button variant="danger" onClick={() => run.failed_step && onSelect(run.failed_step)}>
              Open the step
            </Button>
          )}
        </div>
      )}
    </header>
  );
}

function Totals({ data, run }: { data: RunData; run: Run }) {
  const now = useNow(data.live, data.lastTime);
  const split = useSplit(data, run, now);
  const elapsed = run.total_latency_ms ?? Math.max(0, now - ms(run.started_at));
  return (
    <dl className="flex flex-wrap gap-x-5 gap-y-1 px-4 py-1.5">
      <Fact name="Started">
        <Ago at={run.started_at} />
      </Fact>
      <Fact name="Duration">
        {duration(elapsed)}
        {split && (
          <span className="font-normal text-muted" title="Queue: before the first step. Waiting: no call under way, for instance between two attempts. Work: some call under way.">
            {" "}
            = {partsOf(split).join(" + ")}
          </span>
        )}
      </Fact>
      <Fact name="Steps">
        {count(run.step_count)}
        {data.steps.length < run.step_count && <span className="font-normal text-muted"> ({count(data.steps.length)} read)</span>}
      </Fact>
      <Fact name="Tokens">{count(run.total_tokens)}</Fact>
      <Fact name="Cost" title={run.cost_complete ? `${count(run.total_cost_nanousd)} nano-dollars` : "Some call has no known price: the cost is at least this."}>
        {run.cost_complete ? "" : "≥ "}
        {usd(run.total_cost_nanousd)}
      </Fact>
      {run.retries > 0 && (
        <Fact name="Retries">
          <span className="text-warn">{count(run.retries)}</span>
        </Fact>
      )}
      {run.fallbacks > 0 && (
        <Fact name="Fallbacks">
          <span className="text-warn">{count(run.fallbacks)}</span>
        </Fact>
      )}
      {run.cache_hits > 0 && (
        <Fact name="Cache">
          <span className="text-cache">
            {plural(run.cache_hits, "hit")}, saved {usd(run.saved_nanousd)}
          </span>
        </Fact>
      )}
      {run.budget_exceeded && (
        <Fact name="Limit reached">
          <span className="text-bad">{run.budget_exceeded}</span>
        </Fact>
      )}
      {run.session_id && (
        <Fact name="Session">
          <Link to="/sessions/$id" params={{ id: run.session_id }} className="block max-w-[min(60ch,70vw)] truncate text-accent underline" title={run.session_id} dir="auto">
            {run.session_id}
          </Link>
        </Fact>
      )}
      <Fact name="Trace" title="All spans: of the run, of the services that it called, and of the program that started it, where they send theirs here">
        <Link to="/traces/$id" params={{ id: run.trace_id }} className="text-accent underline">
          all spans
        </Link>
      </Fact>
    </dl>
  );
}

/** Without the parts that took nothing. */
function partsOf({ queue, wait, work }: { queue: number; wait: number; work: number }): string[] {
  const parts = ([[queue, "queue"], [wait, "waiting"], [work, "work"]] as const).filter(([took]) => took >= 0.005);
  return parts.length > 0 ? parts.map(([took, name]) => `${duration(took)} ${name}`) : [`${duration(0)} work`];
}

/** Where the time of the run went. Unknown until its first step begins. */
function useSplit(data: RunData, run: Run, now: number) {
  const { steps, eventsOf, live, complete } = data;
  // The bars of a large run are not summed ten times a second.
  const end = live ? Math.ceil(now / 500) * 500 : now;
  return useMemo(() => {
    const first = steps.find((step) => step.started_at)?.started_at;
    if (!first || eventsOf.size === 0 || (!live && !complete)) return null;
    const start = ms(run.started_at);
    const finish = run.finished_at ? ms(run.finished_at) : end;
    const busy = union(
      steps.flatMap((step) => attemptsOf(eventsOf.get(step.step_id), run.finished_at ? finish : undefined).map((each) => ({ start: each.start, end: each.end ?? finish }))),
    );
    const queue = Math.max(0, ms(first) - start);
    const work = total(busy);
    return { queue, work, wait: Math.max(0, finish - start - queue - work) };
  }, [steps, eventsOf, live, complete, run.started_at, run.finished_at, end]);
}
