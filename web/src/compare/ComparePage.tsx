import { ApiProblem, messageOf } from "@/api/problem";
import { compareQuery, workflowsQuery } from "@/api/queries";
import type { RunSummary } from "@/api/types";
import { WorkflowName } from "@/nodes/WorkflowName";
import { Beside } from "@/ui/beside";
import { Button, buttonClass } from "@/ui/button";
import { EmptyState, ErrorBanner, SkeletonRows } from "@/ui/feedback";
import { passFocusTo, rowsOfOpened } from "@/ui/focus";
import { plural } from "@/ui/format";
import { useHotkeys } from "@/ui/hotkeys";
import { useMedia } from "@/ui/media";
import { PageHeader } from "@/ui/page";
import { useVirtualRows } from "@/ui/virtual";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { ArrowLeftRight } from "lucide-react";
import { useEffect, useMemo, useRef } from "react";
import { CompareRow, COMPARE_GRID } from "./CompareRow";
import { Deltas } from "./Deltas";
import { spanOf, type CompareSearch } from "./search";
import { SpanCompare } from "./SpanCompare";
import { StepDiff } from "./StepDiff";

const route = getRouteApi("/compare");
const ROW = 32;
const isActive = (run: RunSummary | undefined) => run?.status === "queued" || run?.status === "running";

/** What changed between two runs? */
export function ComparePage() {
  const { a, b } = route.useSearch();
  if (!a || !b) {
    return (
      <>
        <PageHeader title="Compare" />
        <EmptyState
          title="Choose two runs"
          action={
            <Link to="/runs" className={buttonClass("primary")}>
              Open the runs
            </Link>
          }
        >
          Mark two rows in the list of runs, then Compare. Replaying a step brings you here by itself.
        </EmptyState>
      </>
    );
  }
  const span = spanOf(a);
  return span ? <SpanCompare {...span} run={b} /> : <Comparison a={a} b={b} />;
}

function Comparison({ a, b }: { a: string; b: string }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const query = useInfiniteQuery({
    ...compareQuery(a, b),
    refetchInterval: ({ state: { data } }) => (data && (isActive(data.pages[0]?.a) || isActive(data.pages[0]?.b)) ? 1_000 : false),
  });
  const { data: workflows } = useQuery(workflowsQuery);
  const first = query.data?.pages[0];
  const steps = useMemo(() => query.data?.pages.flatMap((page) => page.steps) ?? [], [query.data]);
  const rows = useMemo(() => (search.only ? steps.filter((step) => step.differs.length > 0) : steps), [steps, search.only]);
  const beside = useMedia("(min-width: 1024px)");
  const selected = search.step ?? first?.first_divergence ?? undefined;
  const step = useMemo(() => (selected ? steps.find((each) => each.step_id === selected) : undefined), [steps, selected]);
  const change = (next: Partial<CompareSearch>, replace = true) => void navigate({ search: (old) => ({ ...old, ...next }), replace });
  const index = rows.findIndex((row) => row.step_id === selected);

  const close = () => {
    const rows = rowsOfOpened();
    change({ step: "" });
    passFocusTo(...rows);
  };
  const scroll = useRef<HTMLDivElement>(null);
  const { virtual, focusRow } = useVirtualRows({ count: rows.length, height: ROW, scroll, active: index });
  const open = (at: number) => {
    const row = rows[at];
    if (!row) return;
    change({ step: row.step_id });
    focusRow(at);
  };
  useHotkeys({
    j: () => open(Math.min(rows.length - 1, index + 1)),
    ArrowDown: () => open(Math.min(rows.length - 1, index + 1)),
    k: () => open(Math.max(0, index - 1)),
    ArrowUp: () => open(Math.max(0, index - 1)),
    n: () => {
      const after = rows.findIndex((row, at) => at > index && row.differs.length > 0);
      open(after >= 0 ? after : rows.findIndex((row) => row.differs.length > 0));
    },
    Escape: () => (step ? close() : false),
  });

  // What is open comes into view: first of all, where the two runs part.
  const shown = useRef(-1);
  useEffect(() => {
    if (index >= 0 && shown.current < 0) virtual.scrollToIndex(index, { align: "center" });
    shown.current = index;
  }, [index, virtual]);
  const { hasNextPage, isFetching, fetchNextPage } = query;
  useEffect(() => {
    if (hasNextPage && !isFetching) void fetchNextPage();
  }, [hasNextPage, isFetching, fetchNextPage]);

  if (query.error && !first) {
    const missing = query.error instanceof ApiProblem && query.error.status === 404;
    return (
      <>
        <PageHeader title="Compare" />
        {missing ? (
          <EmptyState
            title="One of the runs is not there"
            action={
              <Link to="/runs" className={buttonClass("primary")}>
                Choose two runs
              </Link>
            }
          >
            {messageOf(query.error)}
          </EmptyState>
        ) : (
          <ErrorBanner message={messageOf(query.error)} onRetry={() => void query.refetch()} />
        )}
      </>
    );
  }
  const nameOf = (run: RunSummary) => <WorkflowName run={run} name={workflows?.find((workflow) => workflow.id === run.workflow_id)?.name} />;
  const differing = steps.filter((each) => each.differs.length > 0).length;
  return (
    <>
      <PageHeader title="Compare">
        <span role="status" className="text-muted">
          {first &&
            (isActive(first.a) || isActive(first.b) ? "under way, " : "") +
              (differing === 0 ? (first.first_divergence ? "differences further on" : "no step differs") : `${plural(differing, "step")} of ${steps.length}${hasNextPage ? "+" : ""} ${differing === 1 ? "differs" : "differ"}`)}
        </span>
        <Button aria-pressed={Boolean(search.only)} variant={search.only ? "primary" : "plain"} onClick={() => change({ only: search.only ? undefined : "differences" })}>
          Only differences
        </Button>
        <Link to="/compare" search={{ ...search, a: b, b: a }} className={buttonClass("ghost")} title="Look at it from the other side">
          <ArrowLeftRight size={14} aria-hidden />
          Swap
        </Link>
      </PageHeader>
      {query.error && <ErrorBanner message={messageOf(query.error)} onRetry={() => void query.refetch()} />}
      {!first ? (
        <SkeletonRows rows={12} height={ROW} label="Comparing the runs" />
      ) : (
        <>
          <Deltas a={first.a} b={first.b} nameOf={nameOf} />
          <div className="flex min-h-0 flex-1">
            <section aria-label="Steps of both runs" className="@container flex min-w-0 flex-1 flex-col" inert={Boolean(step && search.step) && !beside}>
              {rows.length === 0 ? (
                <EmptyState title={steps.length === 0 ? "No step has begun" : "No step differs"}>
                  {steps.length === 0 ? "This page fills itself as soon as one of the runs does something." : "Both runs were given the same, and answered the same."}
                </EmptyState>
              ) : (
                <div ref={scroll} className="min-h-0 flex-1 overflow-y-auto bg-bg" tabIndex={-1}>
                  <div role="table" aria-label="Steps" aria-rowcount={rows.length + 1}>
                    <div role="row" aria-rowindex={1} className={`${COMPARE_GRID} sticky top-0 z-10 h-7 border-b border-line bg-bg text-xs text-muted`}>
                      {["Step", "Differs in"].map((name) => (
                        <div key={name} role="columnheader">
                          {name}
                        </div>
                      ))}
                      {["Time", "Tokens", "Cost"].map((name, index) => (
                        <div key={name} role="columnheader" className={`text-right ${index === 2 ? "" : "hidden @min-[640px]:block"}`} title={`${name} of B, and what it is over or under that of A`}>
                          {name}
                        </div>
                      ))}
                    </div>
                    <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
                      {virtual.getVirtualItems().map((item) => {
                        const row = rows[item.index];
                        return (
                          row && (
                            <CompareRow
                              key={row.step_id}
                              row={row}
                              index={item.index}
                              top={item.start}
                              height={ROW}
                              selected={row.step_id === selected}
                              tabbable={item.index === Math.max(index, 0)}
                              first={row.step_id === first.first_divergence}
                              onSelect={() => change({ step: row.step_id }, beside)}
                            />
                          )
                        );
                      })}
                    </div>
                  </div>
                </div>
              )}
            </section>
            {step && (beside || search.step) && (
              <Beside label={`Step ${step.step_id}`} beside={beside} className="lg:w-[54%] lg:min-w-[440px]">
                <StepDiff key={step.step_id} a={a} b={b} step={step} onClose={close} />
              </Beside>
            )}
          </div>
        </>
      )}
    </>
  );
}
