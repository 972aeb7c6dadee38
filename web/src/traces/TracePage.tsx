import { ApiProblem, messageOf } from "@/api/problem";
import { traceSpansQuery } from "@/api/traces";
import type { Span } from "@/api/types";
import { ms, type EventsByStep } from "@/runs/attempts";
import { Timeline } from "@/runs/TimelineView";
import { Tree } from "@/runs/TreeView";
import { Beside } from "@/ui/beside";
import { ErrorBanner, SkeletonRows } from "@/ui/feedback";
import { passFocusTo, rowsOfOpened } from "@/ui/focus";
import { useHotkeys } from "@/ui/hotkeys";
import { useMedia } from "@/ui/media";
import { NotThere, PageHeader, useTitle } from "@/ui/page";
import { statusWord } from "@/ui/status";
import { Tabs } from "@/ui/tabs";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { statusOf } from "./look";
import { LATE } from "./late";
import { ScoreList } from "./ScoreList";
import { TRACE_VIEWS, type TraceSearch, type TraceView } from "./search";
import { SpanPane } from "./SpanPane";
import { TraceHeader } from "./TraceHeader";
import { firstFailing, spanTree } from "./tree";
import { useSpanGroups } from "./useSpanGroups";

const route = getRouteApi("/traces/$id");
const words: Record<TraceView, string> = { timeline: "Timeline", tree: "Tree" };
const NO_EVENTS: EventsByStep = new Map();
const NO_SPANS: Span[] = [];

/** What happened in a trace, whoever sent it: the views of a run. */
export function TracePage() {
  const { id } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const query = useQuery({
    ...traceSpansQuery(id),
    // Spans may come late, one by one, also after those that say that it is over. A large trace is read less often.
    refetchInterval: ({ state: { data } }) => {
      if (!data) return false;
      const over = Date.parse(data.started_at) + data.duration_ms;
      return data.status === "running" || Date.now() - over < LATE ? Math.max(2_000, data.spans.length) : false;
    },
  });
  const trace = query.data;
  const spans = trace?.spans ?? NO_SPANS;
  const tree = useMemo(() => spanTree(spans), [spans]);
  useTitle(trace ? `${trace.name || "Unnamed"}: ${statusWord(statusOf(trace))}` : "Trace");

  const change = useCallback(
    (next: Partial<TraceSearch>, replace = true) => void navigate({ search: (old) => ({ ...old, ...next }), replace, resetScroll: false }),
    [navigate],
  );
  // Without a word from the URL the span that failed first is open. `span=` with nothing after it: the reader closed it.
  const failing = useMemo(() => (trace?.status === "failed" ? firstFailing(tree, spans) : undefined), [tree, spans, trace?.status]);
  const selected = search.span ?? failing;
  const node = selected ? tree.nodes.get(selected) : undefined;
  const select = useCallback((span: string | undefined) => change({ span: span ?? "", tab: undefined }, Boolean(span)), [change]);
  const groups = useSpanGroups(tree, selected);
  const close = useCallback(() => {
    const rows = rowsOfOpened();
    select(undefined);
    passFocusTo(...rows, "[role=tab][data-state=active]");
  }, [select]);

  const view = search.view ?? "timeline";
  const nextFailed = () => {
    const here = spans.findIndex((span) => span.span_id === selected);
    const isFailed = (span: Span) => span.status === "error";
    const next = spans.find((span, at) => at > here && isFailed(span)) ?? spans.find(isFailed);
    if (next) select(next.span_id);
  };
  useHotkeys({
    Escape: () => (node ? close() : false),
    e: nextFailed,
    ...Object.fromEntries(TRACE_VIEWS.map((view, index) => [String(index + 1), () => change({ view })])),
  });
  const beside = useMedia("(min-width: 1024px)");
  const data = useMemo(() => ({ steps: [...tree.nodes.values()].map(({ step }) => step), eventsOf: NO_EVENTS, live: trace?.status === "running", lastTime: tree.end }), [tree, trace?.status]);

  if (query.error && !trace) {
    const missing = query.error instanceof ApiProblem && (query.error.status === 404 || query.error.status === 400);
    return missing ? (
      <NotThere title="There is no such trace" to="/traces">
        {messageOf(query.error)}
      </NotThere>
    ) : (
      <>
        <PageHeader title="Trace" />
        <ErrorBanner message={messageOf(query.error)} onRetry={() => void query.refetch()} />
      </>
    );
  }
  if (!trace) {
    return (
      <>
        <div className="h-[92px] shrink-0 border-b border-line bg-panel" />
        <SkeletonRows rows={10} height={28} label="Loading the trace" />
      </>
    );
  }
  const shared = { data, groups, onSelect: select };
  const ofTrace = trace.scores.filter((score) => !score.span_id);
  return (
    <>
      <TraceHeader trace={trace} tree={tree} span={node?.span} onSelect={select} />
      {query.error && <ErrorBanner message={messageOf(query.error)} onRetry={() => void query.refetch()} />}
      {ofTrace.length > 0 && (
        <section aria-label="Scores" className="max-h-32 shrink-0 overflow-y-auto border-b border-line bg-panel px-4 py-1.5" tabIndex={0}>
          <ScoreList scores={ofTrace} />
        </section>
      )}
      <div className="flex min-h-0 flex-1">
        <section aria-label="Spans" className="flex min-w-0 flex-1 flex-col" inert={Boolean(node) && !beside}>
          <Tabs label="View" value={view} onChange={(view) => change({ view })} tabs={TRACE_VIEWS.map((value) => ({ value, label: words[value] }))}>
            {view === "timeline" ? <Timeline {...shared} runStart={ms(trace.started_at)} /> : <Tree {...shared} />}
          </Tabs>
        </section>
        {node && (
          <Beside label={`Span ${node.step.name}`} beside={beside} className="lg:w-[46%] lg:max-w-[860px] lg:min-w-[400px]">
            <SpanPane
              key={node.span.span_id}
              trace={trace.trace_id}
              outline={node.span}
              orphan={Boolean(node.span.parent_span_id) && !tree.nodes.has(node.span.parent_span_id ?? "")}
              scores={trace.scores.filter((score) => score.span_id === node.span.span_id)}
              tab={search.tab}
              onTab={(tab) => change({ tab })}
              onClose={close}
            />
          </Beside>
        )}
      </div>
    </>
  );
}
