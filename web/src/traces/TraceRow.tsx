import type { TraceSummary } from "@/api/types";
import { Chip } from "@/ui/chip";
import { cx } from "@/ui/cx";
import { count, duration, firstLine, shortId } from "@/ui/format";
import { Status } from "@/ui/status";
import { Ago } from "@/ui/time";
import { Link, useNavigate } from "@tanstack/react-router";
import { Pin } from "lucide-react";
import { costText, costTitle, statusOf } from "./look";

export const TRACES_GRID =
  "grid items-center gap-x-3 px-4 grid-cols-[96px_minmax(180px,2fr)_minmax(96px,1fr)_84px_80px_72px_96px_52px_minmax(72px,0.7fr)_minmax(72px,0.8fr)]";
/** `sort`: the key under which the API sorts by the column. */
export const COLUMNS: readonly { name: string; number?: boolean; sort?: "started_at" | "duration" | "tokens" | "cost" }[] = [
  { name: "Status" },
  { name: "Name" },
  { name: "Models" },
  { name: "Started", sort: "started_at" },
  { name: "Duration", number: true, sort: "duration" },
  { name: "Tokens", number: true, sort: "tokens" },
  { name: "Cost", number: true, sort: "cost" },
  { name: "Steps", number: true },
  { name: "User" },
  { name: "Session" },
];

interface Props {
  trace: TraceSummary;
  narrow: boolean;
  index: number;
  top: number;
  height: number;
  onFocus: () => void;
  /** Inside of a session its own name says nothing. */
  inSession?: boolean;
}

export function TraceRow({ trace, narrow, index, top, height, onFocus, inSession }: Props) {
  const navigate = useNavigate();
  const open = (event: React.MouseEvent) => {
    if ((event.target as Element).closest("a,button,input") || getSelection()?.toString()) return;
    void navigate({ to: "/traces/$id", params: { id: trace.trace_id } });
  };
  const shared = {
    role: "row",
    "aria-rowindex": index + 2,
    "data-row": index,
    onClick: open,
    style: { height, transform: `translateY(${top}px)` },
  };
  const title = (
    <Link to="/traces/$id" params={{ id: trace.trace_id }} onFocus={onFocus} className="min-w-8 truncate font-medium hover:underline" title={`${trace.name}, trace ${trace.trace_id}`} dir="auto">
      {trace.name || "Unnamed"}
      <span className="sr-only"> trace {shortId(trace.trace_id)}</span>
    </Link>
  );
  const error = trace.error && (
    <span className="min-w-0 truncate text-bad" title={trace.error} dir="auto">
      {firstLine(trace.error)}
    </span>
  );
  const session = trace.session_id && (
    <Link to="/sessions/$id" params={{ id: trace.session_id }} className="block truncate text-muted hover:text-text hover:underline" title={`Session ${trace.session_id}`}>
      {trace.session_id}
    </Link>
  );

  if (narrow) {
    return (
      <div {...shared} className="absolute inset-x-0 flex cursor-default flex-col justify-center gap-0.5 border-b border-line bg-panel px-4">
        <div role="cell" className="flex min-w-0 items-center gap-2">
          <Status status={statusOf(trace.status)} compact />
          {title}
          <span className="num ml-auto text-muted">{duration(trace.duration_ms)}</span>
        </div>
        <div role="cell" className="flex min-w-0 items-center gap-2 text-xs">
          {error ?? (
            <span className="num truncate text-muted">
              {count(trace.total_tokens)} tokens · {costText(trace)}
              {trace.models[0] && ` · ${trace.models[0]}`}
            </span>
          )}
          <Ago at={trace.started_at} className="ml-auto shrink-0 text-muted" />
        </div>
      </div>
    );
  }
  return (
    <div {...shared} className={cx(TRACES_GRID, "absolute inset-x-0 cursor-default border-b border-line bg-panel hover:bg-hover focus-within:bg-hover")}>
      <div role="cell" className="flex">
        <Status status={statusOf(trace.status)} />
      </div>
      <div role="cell" className="flex min-w-0 items-center gap-2">
        {title}
        {trace.pinned && <Pin size={12} className="shrink-0 text-muted" aria-label="pinned" />}
        {trace.summary.simulated_calls > 0 && <Chip title="Some models were simulated">sim</Chip>}
        {error}
        {trace.tags.slice(0, 2).map((tag) => (
          <Chip key={tag}>{tag.slice(0, 24)}</Chip>
        ))}
      </div>
      <div role="cell" className="flex min-w-0 gap-1 text-muted" title={trace.models.join(", ") || undefined}>
        <span className="truncate">{trace.models[0]}</span>
        {trace.models.length > 1 && <span className="num shrink-0">+{trace.models.length - 1}</span>}
      </div>
      <div role="cell">
        <Ago at={trace.started_at} className="text-muted" />
      </div>
      <div role="cell" className="num text-right">
        {duration(trace.duration_ms)}
      </div>
      <div role="cell" className="num text-right">
        {count(trace.total_tokens)}
      </div>
      <div role="cell" className="num text-right" title={costTitle(trace)}>
        {costText(trace)}
      </div>
      <div role="cell" className="num text-right">
        {count(trace.summary.steps)}
      </div>
      <div role="cell" className="min-w-0 truncate text-muted" title={trace.user_id ?? undefined}>
        {trace.user_id}
      </div>
      <div role="cell" className="min-w-0">
        {!inSession && session}
      </div>
    </div>
  );
}
