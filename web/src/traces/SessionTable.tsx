import type { Conversation } from "@/api/types";
import { count, plural } from "@/ui/format";
import { Status } from "@/ui/status";
import { Cell, Line, Table, type Column } from "@/ui/table";
import { Ago } from "@/ui/time";
import { Link, useNavigate } from "@tanstack/react-router";
import type { ComponentProps } from "react";
import { costText, costTitle } from "./look";

type Key = "traces" | "tokens" | "cost" | "started_at";

const COLUMNS: readonly Column<Key>[] = [
  { name: "Status", width: "112px" },
  { name: "Session", width: "minmax(180px,2fr)" },
  { name: "User", width: "minmax(96px,1fr)" },
  { name: "Traces", width: "72px", number: true, sort: "traces" },
  { name: "Tokens", width: "80px", number: true, sort: "tokens" },
  { name: "Cost", width: "104px", number: true, sort: "cost" },
  { name: "Started", width: "92px", sort: "started_at" },
  { name: "Last seen", width: "92px" },
];

export function SessionTable(props: Pick<ComponentProps<typeof Table<Conversation, Key>>, "rows" | "failed" | "pages" | "sort" | "onSort" | "empty">) {
  const navigate = useNavigate();
  return (
    <Table label="Sessions" columns={COLUMNS} keyOf={(session) => session.session_id} onOpen={(session) => void navigate({ to: "/sessions/$id", params: { id: session.session_id } })} {...props}>
      {(session, narrow) => (narrow ? <Lines session={session} /> : <Cells session={session} />)}
    </Table>
  );
}

const statusOf = (session: Conversation) => (session.failed_traces > 0 ? "failed" : "succeeded");

function Title({ session }: { session: Conversation }) {
  return (
    <Link to="/sessions/$id" params={{ id: session.session_id }} className="block min-w-0 truncate text-left font-medium hover:underline" title={session.session_id} dir="auto">
      {session.session_id}
    </Link>
  );
}

function Lines({ session }: { session: Conversation }) {
  return (
    <>
      <Line>
        <Status status={statusOf(session)} compact />
        <Title session={session} />
        <span className="num ml-auto shrink-0 text-muted">{costText(session)}</span>
      </Line>
      <Line small>
        <span className="num truncate text-muted">
          {plural(session.traces, "trace")} · {count(session.total_tokens)} tokens{session.user_id && (
            <>
              {" · "}
              <bdi>{session.user_id}</bdi>
            </>
          )}
        </span>
        <Ago at={session.last_active_at} className="ml-auto shrink-0 text-muted" />
      </Line>
    </>
  );
}

function Cells({ session }: { session: Conversation }) {
  const failed = session.failed_traces > 0;
  return (
    <>
      <Cell className="flex items-center gap-1.5" title={failed ? `${count(session.failed_traces)} of ${plural(session.traces, "trace")} failed` : undefined}>
        <Status status={statusOf(session)} />
        {failed && session.traces > 1 && <span className="num text-xs text-bad">{`${count(session.failed_traces)}/${count(session.traces)}`}</span>}
      </Cell>
      <Cell>
        <Title session={session} />
      </Cell>
      <Cell>
        {session.user_id && (
          <Link to="/sessions" search={{ user: session.user_id }} className="block truncate text-left text-muted hover:text-text hover:underline" title={`Sessions of ${session.user_id}`} dir="auto">
            {session.user_id}
          </Link>
        )}
      </Cell>
      <Cell number>{count(session.traces)}</Cell>
      <Cell number>{count(session.total_tokens)}</Cell>
      <Cell number title={costTitle(session)}>
        {costText(session)}
      </Cell>
      <Cell>
        <Ago at={session.started_at} className="text-muted" />
      </Cell>
      <Cell>
        <Ago at={session.last_active_at} className="text-muted" />
      </Cell>
    </>
  );
}
