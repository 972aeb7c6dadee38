import type { Conversation, TraceSummary } from "@/api/types";
import { ms } from "@/runs/attempts";
import { useNow } from "@/runs/useNow";
import { count, duration, usd } from "@/ui/format";
import { Fact } from "@/ui/page";
import { Ago } from "@/ui/time";
import { Link } from "@tanstack/react-router";
import { costText, costTitle } from "./look";

type Totals = Pick<TraceSummary, "started_at" | "total_tokens" | "total_cost_nanousd" | "cost_complete" | "summary" | "user_id"> &
  { status?: string } & Partial<Pick<TraceSummary, "duration_ms" | "service" | "environment" | "session_id">> &
  Partial<Pick<Conversation, "last_active_at" | "traces" | "failed_traces">>;

/** As the rows count what is under way. */
function SoFar({ since }: { since: string }) {
  const start = ms(since);
  return <span title="It is under way">{duration(useNow(true, start) - start)}</span>;
}

/** What a trace or a session came to. */
export function Facts({ of, session }: { of: Totals; session?: boolean }) {
  const { summary } = of;
  return (
    <dl className="flex flex-wrap gap-x-4 gap-y-1 px-4 py-1.5">
      <Fact name="Started">
        <Ago at={of.started_at} />
      </Fact>
      {of.last_active_at && (
        <Fact name="Last active">
          <Ago at={of.last_active_at} />
        </Fact>
      )}
      {of.duration_ms !== undefined && <Fact name="Duration">{of.status === "running" ? <SoFar since={of.started_at} /> : duration(of.duration_ms)}</Fact>}
      {of.traces !== undefined && <Fact name="Traces">{count(of.traces)}</Fact>}
      {of.failed_traces !== undefined && of.failed_traces > 0 && (
        <Fact name="Failed">
          <span className="text-bad">{count(of.failed_traces)}</span>
        </Fact>
      )}
      <Fact name="Cost" title={costTitle(of)}>
        {costText(of)}
      </Fact>
      {summary.simulated_calls > 0 && (
        <Fact name="Simulated" title="Answered by simulated models: nobody pays for it">
          {usd(summary.simulated_nanousd)}
        </Fact>
      )}
      <Fact name="Tokens">{count(of.total_tokens)}</Fact>
      <Fact name="Steps" title="Of a run its steps; elsewhere model calls, tool calls, retrievals, and tasks and agents that contain none of them">
        {count(summary.steps)}
      </Fact>
      <Fact name="Tool calls">{count(summary.tool_calls)}</Fact>
      <Fact name="Handoff depth" title="How many times an agent handed over to another one, at the deepest place">
        {count(summary.handoff_depth)}
      </Fact>
      <Fact name="Retries">{summary.retries > 0 ? <span className="text-warn">{count(summary.retries)}</span> : "0"}</Fact>
      <Fact name="Spans">
        {count(summary.spans)}
        {summary.errors > 0 && <span className="text-bad"> ({count(summary.errors)} failed)</span>}
      </Fact>
      {!session && of.session_id && (
        <Fact name="Session">
          <Link to="/sessions/$id" params={{ id: of.session_id }} className="block max-w-[min(60ch,70vw)] truncate text-accent underline" title={of.session_id} dir="auto">
            {of.session_id}
          </Link>
        </Fact>
      )}
      {of.user_id && (
        <Fact name="User">
          <Link to="/traces" search={{ user: of.user_id }} className="block max-w-[min(60ch,70vw)] truncate text-accent underline" title={of.user_id} dir="auto">
            {of.user_id}
          </Link>
        </Fact>
      )}
      {of.service && <Fact name="Service">{of.service}</Fact>}
      {of.environment && <Fact name="Environment">{of.environment}</Fact>}
    </dl>
  );
}
