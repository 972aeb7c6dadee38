import { messageOf } from "@/api/problem";
import { runsQuery, workflowsQuery } from "@/api/queries";
import type { RunStatus, RunSummary } from "@/api/types";
import { Button, buttonClass } from "@/ui/button";
import { Conditions } from "@/ui/conditions";
import { EmptyState, ErrorBanner } from "@/ui/feedback";
import { Select } from "@/ui/field";
import { plural } from "@/ui/format";
import { useHotkeys } from "@/ui/hotkeys";
import { PageHeader } from "@/ui/page";
import { statusWord } from "@/ui/status";
import { useSteadyError } from "@/ui/steady";
import { Table } from "@/ui/table";
import { TypedInput } from "@/ui/typedInput";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { ArrowLeftRight } from "lucide-react";
import { useMemo, useRef, useState } from "react";
import { RunDemo } from "./RunDemo";
import { COLUMNS, RunRow } from "./RunRow";
import type { RunsSearch } from "./search";

const route = getRouteApi("/runs");
const STATUSES: RunStatus[] = ["queued", "running", "succeeded", "failed", "canceled"];
const isActive = (run: RunSummary) => run.status === "queued" || run.status === "running";

/** What ran, what broke? */
export function RunsPage() {
  const { q, ...search } = route.useSearch();
  const navigate = route.useNavigate();
  const filter = { status: search.status, workflow_id: search.workflow, session_id: search.session };
  const query = useInfiniteQuery({
    ...runsQuery(filter),
    refetchInterval: ({ state: { data } }) => {
      // Lists have no stream of their own. A reader deep in history does not need the newest rows every second.
      if (data && data.pages.length > 3) return 30_000;
      return data?.pages.some((page) => page.runs.some(isActive)) ? 1_000 : 4_000;
    },
  });
  const error = useSteadyError(query);
  const { data: workflows } = useQuery(workflowsQuery);
  const names = useMemo(() => new Map(workflows?.map((workflow) => [workflow.id, workflow.name])), [workflows]);

  const all = useMemo(() => query.data?.pages.flatMap((page) => page.runs) ?? [], [query.data]);
  const rows = useMemo(() => {
    const words = (q ?? "").toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length === 0) return all;
    return all.filter((run) => {
      const hay = [run.id, names.get(run.workflow_id ?? ""), run.failed_step, run.error_summary, run.session_id].join(" ").toLowerCase();
      return words.every((word) => hay.includes(word));
    });
  }, [all, q, names]);
  const longest = useMemo(() => Math.max(1, ...rows.map((run) => run.total_latency_ms ?? 0)), [rows]);

  const filterInput = useRef<HTMLInputElement>(null);
  const [picked, setPicked] = useState<readonly string[]>([]);
  // Of three the first is let go.
  const pick = (id: string) => setPicked((old) => (old.includes(id) ? old.filter((each) => each !== id) : [...old.slice(-1), id]));
  // Ids begin with their time, so the older run is A.
  const [a, b] = [...picked].sort();
  const compare = () => (a && b ? void navigate({ to: "/compare", search: { a, b } }) : undefined);
  useHotkeys({
    c: () => (a && b ? compare() : false),
    "/": () => filterInput.current?.focus(),
  });

  const change = (next: Partial<RunsSearch>) => void navigate({ search: (old) => ({ ...old, ...next }), replace: true });
  const filtered = Boolean(q || search.status || search.workflow || search.session);

  return (
    <>
      <PageHeader title="Runs">
        <span className="num text-muted" role="status">
          {query.data && (query.hasNextPage ? `latest ${rows.length}` : plural(rows.length, "run"))}
        </span>
      </PageHeader>
      <search className="flex shrink-0 flex-wrap items-center gap-2 border-b border-line px-4 py-1.5">
        <Select
          aria-label="Status"
          value={search.status ?? ""}
          onChange={(event) => change({ status: (event.target.value || undefined) as RunStatus | undefined })}
          className="min-w-0 flex-1 sm:!w-32 sm:flex-none"
        >
          <option value="">Any status</option>
          {STATUSES.map((status) => (
            <option key={status} value={status}>
              {statusWord(status)}
            </option>
          ))}
        </Select>
        <Select
          aria-label="Workflow"
          value={search.workflow ?? ""}
          onChange={(event) => change({ workflow: event.target.value || undefined })}
          className="min-w-0 flex-1 sm:!w-52 sm:flex-none"
        >
          <option value="">Any workflow</option>
          {search.workflow && !names.has(search.workflow) && <option value={search.workflow}>{search.workflow}</option>}
          {workflows?.map((workflow) => (
            <option key={workflow.id} value={workflow.id}>
              {workflow.name}
            </option>
          ))}
        </Select>
        <TypedInput ref={filterInput} aria-label="Filter the rows" placeholder="Step, error or id  ( / )" value={q} pause={0} onChange={(q) => change({ q })} className="sm:!w-52" />
        <Conditions all={search.session ? [{ id: "session", label: "Session", value: search.session, onRemove: () => change({ session: undefined }) }] : []} />
        {filtered && (
          <Button variant="ghost" onClick={() => change({ q: undefined, status: undefined, workflow: undefined, session: undefined })}>
            Clear
          </Button>
        )}
        {picked.length > 0 && (
          <span className="ml-auto flex items-center gap-2">
            <span role="status" className="text-muted">
              {b ? "2 runs chosen" : "choose another run"}
            </span>
            <Button variant="ghost" onClick={() => setPicked([])}>
              Clear the choice
            </Button>
            <Button variant="primary" disabled={!b} onClick={compare}>
              <ArrowLeftRight size={14} aria-hidden />
              Compare
            </Button>
          </span>
        )}
      </search>
      {error && <ErrorBanner message={messageOf(error)} onRetry={() => void query.refetch()} />}
      <Table
        label="Runs"
        columns={COLUMNS}
        rows={query.data && rows}
        failed={error !== null}
        keyOf={(run) => run.id}
        pages={query}
        onOpen={(run) => void navigate({ to: "/runs/$id", params: { id: run.id } })}
        keys={{ x: (run) => pick(run.id) }}
        empty={<Empty filtered={filtered} onClear={() => change({ q: undefined, status: undefined, workflow: undefined, session: undefined })} />}
      >
        {(run, narrow) => (
          <RunRow run={run} name={names.get(run.workflow_id ?? "")} longest={longest} narrow={narrow} now={query.dataUpdatedAt} picked={picked.includes(run.id)} onPick={pick} />
        )}
      </Table>
    </>
  );
}

function Empty({ filtered, onClear }: { filtered: boolean; onClear: () => void }) {
  if (filtered) {
    return (
      <EmptyState title="No run matches" action={<Button onClick={onClear}>Clear the filters</Button>}>
        Nothing here has this status, workflow and text.
      </EmptyState>
    );
  }
  return (
    <EmptyState title="Nothing has run yet" action={<RunDemo className={buttonClass("primary")} />}>
      A run shows every step as it happens: its prompt, its answer, what it cost and how long it took.
    </EmptyState>
  );
}
