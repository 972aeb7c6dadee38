import { messageOf, ApiProblem } from "@/api/problem";
import { workflowsQuery } from "@/api/queries";
import type { Step } from "@/api/types";
import { Beside } from "@/ui/beside";
import { ErrorBanner, Skeleton, SkeletonRows } from "@/ui/feedback";
import { passFocusTo, rowsOfOpened } from "@/ui/focus";
import { useHotkeys } from "@/ui/hotkeys";
import { useMedia } from "@/ui/media";
import { NotThere, PageHeader, useTitle } from "@/ui/page";
import { Tabs } from "@/ui/tabs";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { lazy, Suspense, useCallback, useMemo } from "react";
import { LogView } from "./LogView";
import { RunHeader } from "./RunHeader";
import { VIEWS, type RunSearch, type View } from "./search";
import { StepPane } from "./StepPane";
import { TimelineView } from "./TimelineView";
import { TreeView } from "./TreeView";
import { TimeTravel } from "./TimeTravel";
import { useRun } from "./useRun";
import { useRunAt } from "./useRunAt";

const GraphView = lazy(() => import("./GraphView").then((module) => ({ default: module.GraphView })));
const route = getRouteApi("/runs/$id");
const words: Record<View, string> = { timeline: "Timeline", tree: "Tree", graph: "Graph", log: "Log" };

/** What happened, where did it fail, where did time and money go? */
export function RunPage() {
  const { id } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const now = useRun(id);
  const data = useRunAt(now, search.at);
  const { run, steps, error, retry } = data;
  const { data: workflows } = useQuery(workflowsQuery);
  const name = workflows?.find((workflow) => workflow.id === run?.workflow_id)?.name ?? (run && !run.workflow_id ? "Unsaved document" : run?.workflow_id);
  useTitle(run ? `${name ?? "Run"}: ${run.status}` : "Run");

  const change = useCallback(
    (next: Partial<RunSearch>, replace = true) => void navigate({ search: (old) => ({ ...old, ...next }), replace, resetScroll: false }),
    [navigate],
  );
  // Without a word from the URL the step that failed the run is open. `step=` with nothing after it: the reader closed it.
  const selected = search.step ?? run?.failed_step ?? undefined;
  const step = useMemo(() => (selected ? steps.find((each) => each.step_id === selected) : undefined), [steps, selected]);
  const select = useCallback((step: string | undefined) => change({ step: step ?? "", tab: undefined }, Boolean(step)), [change]);

  const close = useCallback(() => {
    const rows = rowsOfOpened();
    select(undefined);
    passFocusTo(...rows, "[role=tab][data-state=active]");
  }, [select]);

  const view = search.view ?? "timeline";
  useHotkeys({
    Escape: () => (selected ? close() : false),
    e: () => select(nextFailed(steps, selected)?.step_id ?? selected),
    ...Object.fromEntries(VIEWS.map((view, index) => [String(index + 1), () => change({ view })])),
  });
  const travel = useCallback((at: number | undefined) => change({ at }), [change]);
  useHotkeys({ t: () => (now.run ? travel(search.at === undefined ? now.run.last_seq : undefined) : false) });
  const beside = useMedia("(min-width: 1024px)");

  if (error && !run) {
    const missing = error instanceof ApiProblem && error.status === 404;
    return missing ? (
      <NotThere title="There is no such run" to="/runs">
        {messageOf(error)}
      </NotThere>
    ) : (
      <>
        <PageHeader title="Run" />
        <ErrorBanner message={messageOf(error)} onRetry={retry} />
      </>
    );
  }
  if (!run) {
    return (
      <>
        <div className="flex h-[68px] shrink-0 flex-col justify-center gap-3 border-b border-line bg-panel px-4" aria-hidden>
          <Skeleton className="h-4 w-56" />
          <Skeleton className="h-3 w-80 max-w-full" />
        </div>
        <SkeletonRows rows={10} height={28} label="Loading the run" />
      </>
    );
  }

  const shared = { data, selected, onSelect: select };
  const pane = step && (
    <StepPane
      key={step.step_id}
      data={data}
      run={run}
      step={step}
      tab={search.tab}
      onTab={(tab) => change({ tab })}
      onClose={close}
      onSelect={select}
    />
  );
  return (
    <>
      <RunHeader data={data} run={run} name={name ?? ""} onSelect={select} onTravel={search.at === undefined ? () => travel(run.last_seq) : undefined} />
      {search.at !== undefined && now.run && <TimeTravel events={now.events} last={now.run.last_seq} startedAt={now.run.started_at} at={search.at} onAt={travel} />}
      {error && <ErrorBanner message={messageOf(error)} onRetry={retry} />}
      <div className="flex min-h-0 flex-1">
        <section aria-label="Steps" className="flex min-w-0 flex-1 flex-col" inert={Boolean(pane) && !beside}>
          <Tabs label="View" value={view} onChange={(view) => change({ view })} tabs={VIEWS.map((value) => ({ value, label: words[value] }))}>
            {view === "timeline" && <TimelineView {...shared} />}
            {view === "tree" && <TreeView {...shared} />}
            {view === "log" && <LogView {...shared} q={search.q} onFilter={(q) => change({ q })} />}
            {view === "graph" && (
              <Suspense fallback={<SkeletonRows rows={6} height={28} label="Loading the graph" />}>
                <GraphView {...shared} run={run} />
              </Suspense>
            )}
          </Tabs>
        </section>
        {pane && (
          <Beside label={`Step ${step.step_id}`} beside={beside} className="lg:w-[46%] lg:max-w-[860px] lg:min-w-[400px]">
            {pane}
          </Beside>
        )}
      </div>
    </>
  );
}

/** The first failed step after the selected one, in the order of the rows; from the end it goes round. */
function nextFailed(steps: Step[], selected: string | undefined): Step | undefined {
  const here = steps.findIndex((step) => step.step_id === selected);
  const isFailed = (step: Step) => step.status === "failed";
  return steps.find((step, at) => at > here && isFailed(step)) ?? steps.find(isFailed);
}
