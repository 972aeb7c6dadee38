import { messageOf } from "@/api/problem";
import { sessionsQuery } from "@/api/traces";
import { Button } from "@/ui/button";
import { EmptyState, ErrorBanner, SkeletonRows } from "@/ui/feedback";
import { Select } from "@/ui/field";
import { plural } from "@/ui/format";
import { useHotkeys } from "@/ui/hotkeys";
import { useNarrow } from "@/ui/media";
import { PageHeader } from "@/ui/page";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useCallback, useMemo, useRef } from "react";
import { given, SESSION_SORTS, type SessionSort, type SessionsSearch } from "./search";
import { SessionTable } from "./SessionTable";
import { TypedInput } from "./TypedInput";

const route = getRouteApi("/sessions");

/** Who talked with my programs, how often, and what did it come to? */
export function SessionsPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const narrow = useNarrow();
  const { user, ...rest } = search;
  const query = useInfiniteQuery({ ...sessionsQuery(given({ ...rest, user_id: user })), placeholderData: keepPreviousData });
  const change = useCallback((next: SessionsSearch) => void navigate({ search: next, replace: true }), [navigate]);
  const rows = useMemo(() => {
    const all = query.data?.pages.flatMap((page) => page.sessions) ?? [];
    // A session that was active between two pages may be on both.
    return [...new Map(all.map((session) => [session.session_id, session])).values()];
  }, [query.data]);
  const searchInput = useRef<HTMLInputElement>(null);
  useHotkeys({ "/": () => searchInput.current?.focus() });
  const { hasNextPage, fetchNextPage, isFetchingNextPage, error } = query;
  const more = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  const filtered = Boolean(search.q || search.status || search.user);
  return (
    <>
      <PageHeader title="Sessions">
        <span className="num text-muted" role="status">
          {query.data && (hasNextPage ? `first ${plural(rows.length, "session")}` : plural(rows.length, "session"))}
        </span>
        <Link to="/traces" className="px-1 text-accent underline">
          All traces
        </Link>
      </PageHeader>
      <search className="flex shrink-0 flex-wrap items-center gap-2 border-b border-line px-4 py-1.5">
        <TypedInput ref={searchInput} aria-label="Search sessions and users" placeholder="A part of a session or user  ( / )" value={search.q} onChange={(q) => change({ ...search, q })} className="min-w-0 flex-[1_1_100%] sm:max-w-80 sm:flex-[2_1_200px]" />
        <Select aria-label="Status" value={search.status ?? ""} onChange={(event) => change({ ...search, status: (event.target.value || undefined) as SessionsSearch["status"] })} className="min-w-0 flex-[1_1_40%] sm:!w-44 sm:flex-none">
          <option value="">Any status</option>
          <option value="failed">With a failed trace</option>
          <option value="ok">Without one</option>
        </Select>
        <Select aria-label="Order" value={search.sort ?? "newest"} onChange={(event) => change({ ...search, sort: event.target.value === "newest" ? undefined : (event.target.value as SessionSort) })} className="min-w-0 flex-[1_1_40%] sm:!w-40 sm:flex-none">
          {Object.entries(SESSION_SORTS).map(([sort, label]) => (
            <option key={sort} value={sort}>
              {label}
            </option>
          ))}
        </Select>
        {filtered && (
          <Button variant="ghost" onClick={() => change({ sort: search.sort })}>
            Clear
          </Button>
        )}
        {search.user && <span className="min-w-0 truncate text-muted">of the user {search.user}</span>}
        {search.sort && <span className="text-muted">among the 2,000 that were active last</span>}
      </search>
      {error && <ErrorBanner message={messageOf(error)} onRetry={() => void query.refetch()} />}
      {!query.data ? (
        !error && <SkeletonRows rows={14} height={narrow ? 64 : 36} label="Loading the sessions" />
      ) : rows.length > 0 ? (
        <SessionTable rows={rows} more={hasNextPage} loading={isFetchingNextPage || error !== null} onMore={more} sort={search.sort} onSort={(sort) => change({ ...search, sort })} />
      ) : hasNextPage ? (
        <EmptyState title="Nothing so far" action={<Button disabled={isFetchingNextPage} onClick={more}>Search on</Button>}>
          The search has not been through all sessions yet.
        </EmptyState>
      ) : filtered ? (
        <EmptyState title="No session matches" action={<Button onClick={() => change({ sort: search.sort })}>Clear the filters</Button>}>
          A session is found by a part of its name or of its user&apos;s.
        </EmptyState>
      ) : (
        <EmptyState title="No session yet">Traces that carry the same session id (`session.id`, or the session of a run) stand here together.</EmptyState>
      )}
    </>
  );
}
