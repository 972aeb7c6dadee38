import type { TraceSummary } from "@/api/types";
import { Chip } from "@/ui/chip";
import { cx } from "@/ui/cx";
import { count, firstLine, shortId } from "@/ui/format";
import { Status, statusWord } from "@/ui/status";
import { Cell, Line, Table, type Column } from "@/ui/table";
import { Ago } from "@/ui/time";
import { Link, useNavigate } from "@tanstack/react-router";
import { Pin } from "lucide-react";
import type { ComponentProps } from "react";
import { costText, costTitle, durationText, statusOf } from "./look";
import { Tags } from "./Tags";

type Key = "started_at" | "duration" | "tokens" | "cost";

const COLUMNS: readonly Column<Key>[] = [
  { name: "Status", width: "96px" },
  { name: "Name", width: "minmax(180px,2fr)" },
  { name: "Models", width: "minmax(96px,1fr)" },
  { name: "Started", width: "84px", sort: "started_at" },
  { name: "Duration", width: "80px", number: true, sort: "duration" },
  { name: "Tokens", width: "76px", number: true, sort: "tokens" },
  { name: "Cost", width: "96px", number: true, sort: "cost" },
  { name: "Steps", width: "52px", number: true },
  { name: "User", width: "minmax(88px,0.9fr)" },
];
const SESSION = { name: "Session", width: "minmax(88px,0.9fr)" };
const WITH_SESSION = [...COLUMNS, SESSION];

type TableProps = ComponentProps<typeof Table<TraceSummary, Key>>;

/** Traces. Inside of a session its own name says nothing. */
export function TraceTable({ inSession = false, ...rest }: Pick<TableProps, "rows" | "failed" | "pages" | "sort" | "onSort" | "empty"> & { inSession?: boolean }) {
  const navigate = useNavigate();
  return (
    <Table
      label="Traces"
      columns={inSession ? COLUMNS : WITH_SESSION}
      keyOf={(trace) => trace.trace_id}
      onOpen={(trace) => void navigate({ to: "/traces/$id", params: { id: trace.trace_id } })}
      {...rest}
    >
      {(trace, narrow) => (narrow ? <Lines trace={trace} /> : <Cells trace={trace} inSession={inSession} />)}
    </Table>
  );
}

function Title({ trace }: { trace: TraceSummary }) {
  return (
    <Link to="/traces/$id" params={{ id: trace.trace_id }} className={cx("min-w-8 truncate font-medium hover:underline", trace.error && "sm:max-w-[60%]")} title={`${trace.name || "Unnamed"}, trace ${trace.trace_id}`} dir="auto">
      {trace.name || "Unnamed"}
      <span className="sr-only"> trace {shortId(trace.trace_id)}</span>
    </Link>
  );
}

function ErrorLine({ error, className }: { error: string; className?: string }) {
  return (
    <span className={cx("min-w-0 truncate text-left text-bad", className)} title={error} dir="auto">
      {firstLine(error)}
    </span>
  );
}

function Lines({ trace }: { trace: TraceSummary }) {
  return (
    <>
      <Line>
        <Status status={statusOf(trace)} compact />
        <Title trace={trace} />
        <span className="num ml-auto text-muted">{durationText(trace)}</span>
      </Line>
      <Line small>
        {trace.error ? (
          <ErrorLine error={trace.error} />
        ) : (
          <span className="num truncate text-muted">
            {trace.waits_for && <span className="text-warn">{statusWord(statusOf(trace))} · </span>}
            {count(trace.total_tokens)} tokens · {costText(trace)}
            {trace.models[0] && ` · ${trace.models[0]}`}
          </span>
        )}
        <Ago at={trace.started_at} className="ml-auto shrink-0 text-muted" />
      </Line>
    </>
  );
}

function Cells({ trace, inSession }: { trace: TraceSummary; inSession: boolean }) {
  return (
    <>
      <Cell className="flex">
        <Status status={statusOf(trace)} short />
      </Cell>
      <Cell className="flex items-center gap-2 overflow-hidden">
        <Title trace={trace} />
        {trace.pinned && <Pin size={12} className="shrink-0 text-muted" aria-label="pinned" />}
        {trace.summary.simulated_calls > 0 && <Chip title="Some models were simulated">sim</Chip>}
        {trace.error && <ErrorLine error={trace.error} className="flex-1" />}
        <Tags tags={trace.tags} most={trace.error ? 0 : 2} />
      </Cell>
      <Cell className="flex gap-1 text-muted" title={trace.models.join(", ") || undefined}>
        <span className="truncate">{trace.models[0]}</span>
        {trace.models.length > 1 && <span className="num shrink-0">+{trace.models.length - 1}</span>}
      </Cell>
      <Cell>
        <Ago at={trace.started_at} className="text-muted" />
      </Cell>
      <Cell number>{durationText(trace)}</Cell>
      <Cell number>{count(trace.total_tokens)}</Cell>
      <Cell number title={costTitle(trace)}>
        {costText(trace)}
      </Cell>
      <Cell number>{count(trace.summary.steps)}</Cell>
      <Cell>
        {trace.user_id && (
          <Link to="/traces" search={{ user: trace.user_id }} className="block truncate text-left text-muted hover:text-text hover:underline" title={`Traces of ${trace.user_id}`} dir="auto">
            {trace.user_id}
          </Link>
        )}
      </Cell>
      {!inSession && (
        <Cell>
          {trace.session_id && (
            <Link to="/sessions/$id" params={{ id: trace.session_id }} className="block truncate text-left text-muted hover:text-text hover:underline" title={`Session ${trace.session_id}`} dir="auto">
              {trace.session_id}
            </Link>
          )}
        </Cell>
      )}
    </>
  );
}
