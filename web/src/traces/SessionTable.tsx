import type { Conversation } from "@/api/types";
import { cx } from "@/ui/cx";
import { count, plural } from "@/ui/format";
import { useHotkeys } from "@/ui/hotkeys";
import { useNarrow } from "@/ui/media";
import { Status } from "@/ui/status";
import { Ago } from "@/ui/time";
import { useVirtualRows } from "@/ui/virtual";
import { Link, useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { costText, costTitle } from "./look";
import type { SessionSort } from "./search";
import { SortHeader } from "./SortHeader";

const GRID = "grid items-center gap-x-3 px-4 grid-cols-[112px_minmax(180px,2fr)_minmax(96px,1fr)_72px_80px_104px_92px_92px]";
const COLUMNS: readonly { name: string; number?: boolean; sort?: "traces" | "tokens" | "cost" | "started_at" }[] = [
  { name: "Status" },
  { name: "Session" },
  { name: "User" },
  { name: "Traces", number: true, sort: "traces" },
  { name: "Tokens", number: true, sort: "tokens" },
  { name: "Cost", number: true, sort: "cost" },
  { name: "Started", sort: "started_at" },
  { name: "Last seen" },
];

interface Props {
  rows: readonly Conversation[];
  more: boolean;
  loading: boolean;
  onMore: () => void;
  sort: SessionSort | undefined;
  onSort: (sort: SessionSort | undefined) => void;
}

/** Sessions, of which only those in view exist. The next page is read before the last row is reached. */
export function SessionTable({ rows, more, loading, onMore, sort, onSort }: Props) {
  const narrow = useNarrow();
  const scroll = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(-1);
  const height = narrow ? 64 : 36;
  const { virtual, focusRow } = useVirtualRows({ count: rows.length, height, scroll, active });
  const move = (by: number) => {
    if (rows.length === 0) return;
    const next = Math.min(rows.length - 1, Math.max(0, active + by));
    setActive(next);
    focusRow(next);
  };
  useHotkeys({ j: () => move(1), ArrowDown: () => move(1), k: () => move(-1), ArrowUp: () => move(-1) });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && !loading && last >= rows.length - 20) onMore();
  }, [last, rows.length, more, loading, onMore]);
  return (
    <div ref={scroll} className="min-h-0 flex-1 overflow-auto" tabIndex={-1}>
      <div role="table" aria-label="Sessions" aria-rowcount={more ? -1 : rows.length + 1} className="sm:min-w-[960px]">
        <div role="row" aria-rowindex={1} className={narrow ? "sr-only" : `${GRID} sticky top-0 z-10 h-7 border-b border-line bg-bg text-xs text-muted`}>
          {COLUMNS.map(({ name, number, sort: key }) =>
            key && !narrow ? (
              <SortHeader key={name} name={name} number={number} by={key} sort={sort} onSort={onSort} />
            ) : (
              <div key={name} role="columnheader" className={number ? "text-right" : undefined}>
                {name}
              </div>
            ),
          )}
        </div>
        <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
          {items.map((item) => {
            const session = rows[item.index];
            return session && <Row key={session.session_id} session={session} narrow={narrow} index={item.index} top={item.start} height={height} onFocus={() => setActive(item.index)} />;
          })}
        </div>
      </div>
    </div>
  );
}

function Row({ session, narrow, index, top, height, onFocus }: { session: Conversation; narrow: boolean; index: number; top: number; height: number; onFocus: () => void }) {
  const navigate = useNavigate();
  const shared = {
    role: "row",
    "aria-rowindex": index + 2,
    "data-row": index,
    style: { height, transform: `translateY(${top}px)` },
    onClick: (event: React.MouseEvent) => {
      if ((event.target as Element).closest("a,button,input") || getSelection()?.toString()) return;
      void navigate({ to: "/sessions/$id", params: { id: session.session_id } });
    },
  };
  const status = session.failed_traces > 0 ? "failed" : "succeeded";
  const failed = session.failed_traces > 0 && session.traces > 1 && <span className="num text-xs text-bad">{`${count(session.failed_traces)}/${count(session.traces)}`}</span>;
  const title = (
    <Link to="/sessions/$id" params={{ id: session.session_id }} onFocus={onFocus} className="block min-w-0 truncate font-medium hover:underline" title={session.session_id} dir="auto">
      {session.session_id}
    </Link>
  );
  if (narrow) {
    return (
      <div {...shared} className="absolute inset-x-0 flex cursor-default flex-col justify-center gap-0.5 border-b border-line bg-panel px-4">
        <div role="cell" className="flex min-w-0 items-center gap-2">
          <Status status={status} compact />
          {title}
          <span className="num ml-auto shrink-0 text-muted">{costText(session)}</span>
        </div>
        <div role="cell" className="flex min-w-0 items-center gap-2 text-xs text-muted">
          <span className="num truncate">
            {plural(session.traces, "trace")} · {count(session.total_tokens)} tokens{session.user_id && ` · ${session.user_id}`}
          </span>
          <Ago at={session.last_active_at} className="ml-auto shrink-0" />
        </div>
      </div>
    );
  }
  return (
    <div {...shared} className={cx(GRID, "absolute inset-x-0 cursor-default border-b border-line bg-panel hover:bg-hover focus-within:bg-hover")}>
      <div role="cell" className="flex items-center gap-1.5">
        <Status status={status} />
        {failed}
      </div>
      <div role="cell" className="min-w-0">
        {title}
      </div>
      <div role="cell" className="min-w-0">
        {session.user_id && (
          <Link to="/sessions" search={{ user: session.user_id }} className="block truncate text-muted hover:text-text hover:underline" title={`Sessions of ${session.user_id}`} dir="auto">
            {session.user_id}
          </Link>
        )}
      </div>
      <div role="cell" className="num text-right">
        {count(session.traces)}
      </div>
      <div role="cell" className="num text-right">
        {count(session.total_tokens)}
      </div>
      <div role="cell" className="num text-right" title={costTitle(session)}>
        {costText(session)}
      </div>
      <div role="cell">
        <Ago at={session.started_at} className="text-muted" />
      </div>
      <div role="cell">
        <Ago at={session.last_active_at} className="text-muted" />
      </div>
    </div>
  );
}
