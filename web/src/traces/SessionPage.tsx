import { ApiProblem, messageOf } from "@/api/problem";
import { sessionQuery } from "@/api/traces";
import { CopyId } from "@/ui/copy";
import { EmptyState, ErrorBanner, SkeletonRows } from "@/ui/feedback";
import { useTitle } from "@/ui/page";
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { ChevronRight } from "lucide-react";
import { useMemo } from "react";
import { Facts } from "./Facts";
import { distinct } from "./search";
import { TraceTable } from "./TraceTable";

const route = getRouteApi("/sessions/$id");

/** Traces that belong together, for instance the turns of a conversation. */
export function SessionPage() {
  const { id } = route.useParams();
  const query = useInfiniteQuery(sessionQuery(id));
  const session = query.data?.pages[0];
  useTitle(`Session ${id}`);
  const rows = useMemo(() => query.data && distinct(query.data.pages.flatMap((page) => page.traces_page), (trace) => trace.trace_id), [query.data]);
  const { error } = query;

  if (error && !session) {
    return error instanceof ApiProblem && error.status === 404 ? (
      <EmptyState page title="There is no such session">{messageOf(error)}</EmptyState>
    ) : (
      <ErrorBanner message={messageOf(error)} onRetry={() => void query.refetch()} />
    );
  }
  if (!session) {
    return (
      <>
        <div className="h-[92px] shrink-0 border-b border-line bg-panel" />
        <SkeletonRows rows={10} height={36} label="Loading the session" />
      </>
    );
  }
  return (
    <>
      <header className="shrink-0 border-b border-line bg-panel">
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 pt-2">
          <nav aria-label="Breadcrumb" className="flex max-w-full min-w-0 items-center gap-1">
            <Link to="/sessions" className="text-muted hover:text-text hover:underline">
              Sessions
            </Link>
            <ChevronRight size={14} className="shrink-0 text-muted" aria-hidden />
            <h1 className="min-w-0 truncate text-lg font-semibold" title={id} dir="auto">
              Session {id}
            </h1>
          </nav>
          <CopyId id={id} label="session id" />
        </div>
        <Facts of={session} session />
      </header>
      {error && <ErrorBanner message={messageOf(error)} onRetry={() => void query.refetch()} />}
      <TraceTable rows={rows} failed={error !== null} pages={query} inSession empty={null} />
    </>
  );
}
