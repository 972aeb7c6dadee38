import { ApiProblem, messageOf } from "@/api/problem";
import { sessionQuery } from "@/api/traces";
import { CopyIcon } from "@/ui/copy";
import { ErrorBanner, SkeletonRows } from "@/ui/feedback";
import { Crumbs, NotThere, PageHeader, useTitle } from "@/ui/page";
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import { Facts } from "./Facts";
import { LATE } from "./late";
import { distinct } from "./search";
import { TraceTable } from "./TraceTable";

const route = getRouteApi("/sessions/$id");

/** Traces that belong together, for instance the turns of a conversation. */
export function SessionPage() {
  const { id } = route.useParams();
  const query = useInfiniteQuery({
    ...sessionQuery(id),
    // A conversation goes on, and spans come late. Who reads far down in a long one is not disturbed.
    refetchInterval: ({ state: { data } }) => {
      const now = data?.pages.length === 1 ? data.pages[0] : undefined;
      const goesOn = now && (now.traces_page.some((trace) => trace.status === "running") || Date.now() - Date.parse(now.last_active_at) < LATE);
      return goesOn ? 5_000 : false;
    },
  });
  const session = query.data?.pages[0];
  useTitle(`Session ${id}`);
  const rows = useMemo(() => query.data && distinct(query.data.pages.flatMap((page) => page.traces_page), (trace) => trace.trace_id), [query.data]);
  const { error } = query;

  if (error && !session) {
    return error instanceof ApiProblem && error.status === 404 ? (
      <NotThere title="There is no such session" to="/sessions">
        {messageOf(error)}
      </NotThere>
    ) : (
      <>
        <PageHeader title="Session" />
        <ErrorBanner message={messageOf(error)} onRetry={() => void query.refetch()} />
      </>
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
        <div className="flex items-center gap-1 px-4 pt-2">
          <Crumbs to="/sessions" list="Sessions" className="truncate" title={id} dir="auto">
            Session {id}
          </Crumbs>
          <CopyIcon text={() => id} label="Copy the session id" />
        </div>
        <Facts of={session} session />
      </header>
      {error && <ErrorBanner message={messageOf(error)} onRetry={() => void query.refetch()} />}
      <TraceTable rows={rows} failed={error !== null} pages={query} inSession empty={null} />
    </>
  );
}
