import { messageOf } from "@/api/problem";
import { tracesQuery } from "@/api/traces";
import { Button, buttonClass } from "@/ui/button";
import { CopyLine } from "@/ui/copy";
import { EmptyState, ErrorBanner } from "@/ui/feedback";
import { plural } from "@/ui/format";
import { useHotkeys } from "@/ui/hotkeys";
import { PageHeader } from "@/ui/page";
import { useSteadyError } from "@/ui/steady";
import { toast } from "@/ui/toast";
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { MessagesSquare, Radio } from "lucide-react";
import { useCallback, useMemo, useRef, useState } from "react";
import { Filters } from "./Filters";
import { distinct, filtersOf, listOf, type TracesSearch } from "./search";
import { TraceTable } from "./TraceTable";
import { Unpriced } from "./Unpriced";
import { isFollowable, useTail } from "./useTail";

const route = getRouteApi("/traces");

/** What did any of my programs say, and what went wrong? */
export function TracesPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const list = useMemo(() => listOf(search), [search]);
  const query = useInfiniteQuery({ ...tracesQuery(list), refetchOnWindowFocus: true });
  // On top of what the URL says by then: the next change may come before the page has followed the last one.
  const change = useCallback((part: Partial<TracesSearch>) => void navigate({ search: (old) => ({ ...old, ...part }), replace: true }), [navigate]);
  const replace = useCallback((filters: TracesSearch) => void navigate({ search: ({ sort, live }) => ({ ...filters, sort, live }), replace: true }), [navigate]);
  const live = search.live === "1";
  useTail(list, live, (error) => {
    toast(messageOf(error));
    change({ live: undefined });
  });

  const data = useLast(query.data);
  const rows = useMemo(() => data && distinct(data.pages.flatMap((page) => page.traces), (trace) => trace.trace_id), [data]);
  const searchInput = useRef<HTMLInputElement>(null);
  useHotkeys({ "/": () => searchInput.current?.focus() });
  const { hasNextPage } = query;
  const error = useSteadyError(query);
  const filtered = Object.keys(filtersOf(search)).length > 0;

  return (
    <>
      <PageHeader title="Traces">
        <span className="num text-muted" role="status">
          {rows && (hasNextPage ? `first ${plural(rows.length, "trace")}` : plural(rows.length, "trace"))}
        </span>
        <Unpriced />
        <Link to="/sessions" className={buttonClass("ghost")}>
          <MessagesSquare size={14} aria-hidden />
          Sessions
        </Link>
        <Button
          aria-pressed={live}
          variant={live ? "primary" : "plain"}
          title={isFollowable(list) ? "Show traces as they arrive" : "Read the list again every 2 s; words and other orders cannot be followed row by row"}
          onClick={() => change({ live: live ? undefined : "1" })}
        >
          <Radio size={14} aria-hidden />
          Live
        </Button>
      </PageHeader>
      <Filters search={search} onChange={change} onReplace={replace} searchInput={searchInput} />
      {error && <ErrorBanner message={messageOf(error)} onRetry={() => void query.refetch()} />}
      <TraceTable
        rows={rows}
        failed={error !== null}
        pages={query}
        sort={search.sort}
        onSort={(sort) => change({ sort })}
        empty={
          filtered ? (
            <EmptyState title="No trace matches" action={<Button onClick={() => replace({})}>Clear the filters</Button>}>
              All conditions have to hold. A search for words finds whole words; end a word with * for its beginning.
            </EmptyState>
          ) : (
            <Setup />
          )
        }
      />
    </>
  );
}

/** The last that there was: the rows stay while others are read, and when they cannot be. */
function useLast<T>(value: T | undefined): T | undefined {
  const [last, setLast] = useState(value);
  if (value !== undefined && value !== last) setLast(value);
  return value ?? last;
}

function Setup() {
  return (
    <EmptyState
      title="No trace has arrived yet"
      action={
        <>
          <CopyLine line={`OTEL_EXPORTER_OTLP_ENDPOINT=${location.origin}`} />
          <Link to="/runs" className={buttonClass("ghost")}>
            Or run a workflow: a run is a trace too
          </Link>
        </>
      }
    >
      Any program with OpenTelemetry sends its traces here with one line in its environment, over HTTP:
    </EmptyState>
  );
}
