import { messageOf } from "@/api/problem";
import { approvalsQuery } from "@/api/queries";
import type { Approval } from "@/api/types";
import { buttonClass } from "@/ui/button";
import { cx } from "@/ui/cx";
import { Due } from "@/ui/due";
import { EmptyState, ErrorBanner, SkeletonRows } from "@/ui/feedback";
import { count, firstLine, plural } from "@/ui/format";
import { useHotkeys } from "@/ui/hotkeys";
import { useMedia } from "@/ui/media";
import { PageHeader } from "@/ui/page";
import { useSteadyError } from "@/ui/steady";
import { Tabs } from "@/ui/tabs";
import { Ago } from "@/ui/time";
import { useVirtualRows } from "@/ui/virtual";
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useEffect, useMemo, useRef } from "react";
import { ApprovalDetail } from "./ApprovalDetail";
import { byWhom, Decision } from "./decision";
import type { ApprovalsSearch } from "./search";

const route = getRouteApi("/approvals");
const ROW = 58;
/** Milliseconds between two readings of the list. */
const EVERY = 3_000;

/** What waits for me, and what follows if I say yes? */
export function ApprovalsPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const view = search.view ?? "open";
  const query = useInfiniteQuery({ ...approvalsQuery(view), refetchInterval: EVERY, refetchOnWindowFocus: true });
  const error = useSteadyError(query);
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.approvals) ?? [], [query.data]);
  const open = query.data?.pages[0]?.open;
  const beside = useMedia("(min-width: 1024px)");
  const selected = search.id;
  const listed = rows.find((row) => row.id === selected);
  const change = (next: Partial<ApprovalsSearch>, replace = true) => void navigate({ search: (old) => ({ ...old, ...next }), replace });
  const index = rows.findIndex((row) => row.id === selected);
  // Beside the list the first question is open by itself. From then on it stays: what comes in must not change what is being answered.
  const first = beside && !search.id && query.isSuccess && !query.isPlaceholderData ? rows[0]?.id : undefined;
  useEffect(() => {
    if (first) void navigate({ search: (old) => ({ ...old, id: first }), replace: true });
  }, [first, navigate]);

  const scroll = useRef<HTMLDivElement>(null);
  const { virtual, focusRow } = useVirtualRows({ count: rows.length, height: ROW, scroll, active: index });
  const move = (by: number) => {
    const row = rows[Math.min(rows.length - 1, Math.max(0, index + by))];
    if (!row) return;
    change({ id: row.id });
    focusRow(rows.indexOf(row));
  };
  useHotkeys({
    j: () => move(1),
    ArrowDown: () => move(1),
    k: () => move(-1),
    ArrowUp: () => move(-1),
    Escape: () => (selected && !beside ? change({ id: undefined }) : false),
  });

  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && last >= rows.length - 10) void fetchNextPage();
  }, [last, rows.length, hasNextPage, isFetchingNextPage, fetchNextPage]);

  const detail = selected ? <ApprovalDetail key={selected} id={selected} listed={listed} onClose={() => change({ id: undefined })} /> : null;
  return (
    <>
      <PageHeader title="Approvals">
        <span role="status" className="num text-muted">
          {open !== undefined && (open === 0 ? "nothing waits" : `${plural(open, "question")} open`)}
        </span>
      </PageHeader>
      {error && <ErrorBanner message={messageOf(error)} onRetry={() => void query.refetch()} />}
      <div className="flex min-h-0 flex-1">
        <section aria-label="Questions" className="flex min-w-0 flex-1 flex-col lg:max-w-[420px]" inert={Boolean(search.id) && !beside}>
          <Tabs
            label="Questions"
            value={view}
            onChange={(next) => change({ view: next === "decided" ? "decided" : undefined, id: undefined })}
            tabs={[
              { value: "open", label: open === undefined ? "Open" : `Open ${count(open)}` },
              { value: "decided", label: "Decided" },
            ]}
          >
            {!query.data ? (
              !error && <SkeletonRows rows={8} height={ROW} label="Loading the questions" />
            ) : rows.length === 0 ? (
              <Empty decided={view === "decided"} />
            ) : (
              <div ref={scroll} className="min-h-0 flex-1 overflow-y-auto" tabIndex={-1}>
                <ul aria-label={view === "decided" ? "Decided" : "Open"} className="relative" style={{ height: virtual.getTotalSize() }}>
                  {items.map((item) => {
                    const row = rows[item.index];
                    return row && <Row key={row.id} row={row} index={item.index} top={item.start} selected={row.id === selected} onSelect={() => change({ id: row.id }, beside)} />;
                  })}
                </ul>
              </div>
            )}
          </Tabs>
        </section>
        {detail && (
          <section
            aria-label="The question"
            className="fixed inset-0 z-20 flex min-w-0 flex-1 flex-col overflow-y-auto border-line bg-panel lg:static lg:z-auto lg:border-l"
            tabIndex={-1}
          >
            {detail}
          </section>
        )}
      </div>
    </>
  );
}

function Row({ row, index, top, selected, onSelect }: { row: Approval; index: number; top: number; selected: boolean; onSelect: () => void }) {
  return (
    <li className="absolute inset-x-0" style={{ height: ROW, top }}>
      <button
        type="button"
        data-row={index}
        aria-current={selected}
        onClick={onSelect}
        className={cx("flex h-full w-full flex-col justify-center gap-0.5 border-b border-line px-4 text-left", selected ? "bg-selected" : "bg-panel hover:bg-hover")}
      >
        <span className="flex w-full min-w-0 items-baseline gap-2">
          <span className="min-w-0 flex-1 truncate font-medium">{firstLine(row.message) || row.step_id}</span>
          <Ago at={row.decided_at ?? row.asked_at} className="num shrink-0 text-xs text-muted" />
        </span>
        <span className="flex w-full min-w-0 items-center gap-2 text-xs text-muted">
          <span className="min-w-0 flex-1 truncate">
            {row.workflow_name ?? "Unsaved document"} · {row.step_id}
          </span>
          {row.decision ? (
            <span className="flex shrink-0 gap-1">
              <Decision decision={row.decision} /> {byWhom(row.decided_by)}
            </span>
          ) : row.interrupted ? (
            <span className="shrink-0 text-warn">interrupted call</span>
          ) : (
            row.deadline && (
              <span className="shrink-0">
                due <Due at={row.deadline} />
              </span>
            )
          )}
        </span>
      </button>
    </li>
  );
}

function Empty({ decided }: { decided: boolean }) {
  return decided ? (
    <EmptyState title="Nothing was decided yet">Questions that were answered, expired or were canceled are listed here.</EmptyState>
  ) : (
    <EmptyState
      title="Nothing waits for you"
      action={
        <Link to="/workflows" className={buttonClass()}>
          Open the workflows
        </Link>
      }
    >
      A step of the kind “approval” stops its run here until somebody says yes or no. A run that waits costs nothing and survives restarts.
    </EmptyState>
  );
}

