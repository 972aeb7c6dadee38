import { messageOf } from "@/api/problem";
import { sessionsQuery } from "@/api/traces";
import { Button, buttonClass } from "@/ui/button";
import { CopyLine } from "@/ui/copy";
import { Conditions } from "@/ui/conditions";
import { EmptyState, ErrorBanner } from "@/ui/feedback";
import { Select } from "@/ui/field";
import { plural } from "@/ui/format";
import { useHotkeys } from "@/ui/hotkeys";
import { PageHeader } from "@/ui/page";
import { useSteadyError } from "@/ui/steady";
import { TypedInput } from "@/ui/typedInput";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Waypoints } from "lucide-react";
import { useCallback, useMemo, useRef } from "react";
import { distinct, given, SESSION_SORTS, type SessionSort, type SessionsSearch } from "./search";
import { SessionTable } from "./SessionTable";

const route = getRouteApi("/sessions");
const ATTRIBUTE = 'span.set_attribute("session.id", "chat-42")';

/** Who talked with my programs, how often, and what did it come to? */
export function SessionsPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { user, ...rest } = search;
  const query = useInfiniteQuery({ ...sessionsQuery(given({ ...rest, user_id: user })), placeholderData: keepPreviousData });
  const change = useCallback((part: Partial<SessionsSearch>) => void navigate({ search: (old) => ({ ...old, ...part }), replace: true }), [navigate]);
  const clear = () => change({ q: undefined, status: undefined, user: undefined });
  const rows = useMemo(() => query.data && distinct(query.data.pages.flatMap((page) => page.sessions), (session) => session.session_id), [query.data]);
  const searchInput = useRef<HTMLInputElement>(null);
  useHotkeys({ "/": () => searchInput.current?.focus() });
  const { hasNextPage } = query;
  const error = useSteadyError(query);
  const filtered = Boolean(search.q || search.status || search.user);
  return (
    <>
      <PageHeader title="Sessions">
        <span className="num text-muted" role="status">
          {rows && (hasNextPage ? `first ${plural(rows.length, "session")}` : plural(rows.length, "session"))}
        </span>
        <Link to="/traces" className={buttonClass("ghost")}>
          <Waypoints size={14} aria-hidden />
          Traces
        </Link>
      </PageHeader>
      <search className="flex shrink-0 flex-wrap items-center gap-2 border-b border-line px-4 py-1.5">
        <TypedInput ref={searchInput} aria-label="Search sessions and users" placeholder="A part of a session or user  ( / )" value={search.q} onChange={(q) => change({ q })} className="min-w-0 flex-[1_1_100%] sm:max-w-80 sm:flex-[2_1_200px]" />
        <Select aria-label="Status" value={search.status ?? ""} onChange={(event) => change({ status: (event.target.value || undefined) as SessionsSearch["status"] })} className="min-w-0 flex-[1_1_40%] sm:!w-44 sm:flex-none">
          <option value="">Any status</option>
          <option value="failed">With a failed trace</option>
          <option value="ok">Without one</option>
        </Select>
        <Select aria-label="Order" value={search.sort ?? "newest"} onChange={(event) => change({ sort: event.target.value === "newest" ? undefined : (event.target.value as SessionSort) })} className="min-w-0 flex-[1_1_40%] sm:!w-40 sm:flex-none">
          {Object.entries(SESSION_SORTS).map(([sort, label]) => (
            <option key={sort} value={sort}>
              {label}
            </option>
          ))}
        </Select>
        {filtered && (
          <Button variant="ghost" onClick={clear}>
            Clear
          </Button>
        )}
        <Conditions all={search.user ? [{ id: "user", label: "User", value: search.user, onRemove: () => change({ user: undefined }) }] : []} />
      </search>
      {error && <ErrorBanner message={messageOf(error)} onRetry={() => void query.refetch()} />}
      <SessionTable
        rows={rows}
        failed={error !== null}
        pages={query}
        sort={search.sort}
        onSort={(sort) => change({ sort })}
        empty={
          filtered ? (
            <EmptyState title="No session matches" action={<Button onClick={clear}>Clear the filters</Button>}>
              A session is found by a part of its name or of its user&apos;s.
            </EmptyState>
          ) : (
            <EmptyState title="No session yet" action={<CopyLine line={ATTRIBUTE} />}>
              Traces that carry the same session id stand here together: the turns of a conversation, say. Set it on any of their spans, or give it to runs as `session_id`.
            </EmptyState>
          )
        }
      />
    </>
  );
}
