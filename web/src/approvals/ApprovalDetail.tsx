import { api } from "@/api/client";
import { messageOf } from "@/api/problem";
import { keys, runGraphQuery } from "@/api/queries";
import { useRecorded } from "@/api/recorded";
import type { Approval } from "@/api/types";
import { KindIcon } from "@/nodes/kind";
import { IconButton } from "@/ui/button";
import { Chip } from "@/ui/chip";
import { WordDiff } from "@/ui/diff";
import { Due } from "@/ui/due";
import { EmptyState, ErrorBanner, SkeletonRows } from "@/ui/feedback";
import { exactTime, plural } from "@/ui/format";
import { prettyJson } from "@/ui/json";
import { Ago } from "@/ui/time";
import { Value } from "@/ui/value";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { X } from "lucide-react";
import type { ReactNode } from "react";
import { DecideForm } from "./DecideForm";
import { byWhom, Decision, isOpen } from "./decision";
import { follows, onTimeout, type Follows } from "./follows";
import { usePayload } from "./usePayload";

/** One question with everything that it takes to answer it. `listed`: it is in the list beside. */
export function ApprovalDetail({ id, listed, onClose }: { id: string; listed: Approval | undefined; onClose: () => void }) {
  // A question that left the list, or that a link leads to: it may have been decided meanwhile.
  const run = id.slice(0, id.indexOf(":"));
  const alone = useQuery({
    queryKey: [...keys.approvals, "one", id],
    queryFn: async ({ signal }) => {
      let cursor: string | undefined;
      do {
        const page = await api.approvals({ status: "all", run_id: run, limit: 200, cursor }, signal);
        const found = page.approvals.find((each) => each.id === id);
        if (found) return found;
        cursor = page.next_cursor ?? undefined;
      } while (cursor);
      return null;
    },
    enabled: !listed,
  });
  const approval = listed ?? alone.data;
  if (alone.error && !approval) return <ErrorBanner message={messageOf(alone.error)} onRetry={() => void alone.refetch()} />;
  if (approval === null) return <EmptyState title="There is no such question">The run may have been deleted, or the address may be mistyped.</EmptyState>;
  if (!approval) return <SkeletonRows rows={6} height={40} label="Loading the question" />;
  return <Detail approval={approval} onClose={onClose} />;
}

function Detail({ approval, onClose }: { approval: Approval; onClose: () => void }) {
  const document = useQuery(runGraphQuery(approval.run_id));
  const payload = usePayload(approval);
  const open = isOpen(approval);
  const yes = document.data && follows(document.data, approval.node_id, "approved", approval.interrupted);
  const no = document.data && follows(document.data, approval.node_id, "rejected", approval.interrupted);
  return (
    <article className="grid max-w-[820px] grid-cols-[minmax(0,1fr)] gap-4 px-4 py-3">
      <header>
        <div className="flex items-start gap-2">
          <h2 className="min-w-0 flex-1 text-lg leading-6 font-semibold break-words whitespace-pre-wrap">{approval.message || approval.step_id}</h2>
          <span className="lg:hidden">
            <IconButton label="Close the question (Esc)" onClick={onClose}>
              <X size={16} aria-hidden />
            </IconButton>
          </span>
        </div>
        <dl className="mt-1 flex flex-wrap gap-x-5 gap-y-1">
          <Fact name="Run">
            <Link to="/runs/$id" params={{ id: approval.run_id }} search={{ step: approval.step_id }} className="text-accent hover:underline">
              {approval.workflow_name ?? "Unsaved document"}, step {approval.step_id}
            </Link>
          </Fact>
          <Fact name="Asked">
            <Ago at={approval.asked_at} />
          </Fact>
          {open && (
            <Fact name="Deadline">
              {approval.deadline ? (
                <>
                  <Due at={approval.deadline} />
                  {document.data && <span className="font-normal text-muted">, {onTimeout(document.data, approval.node_id)}</span>}
                </>
              ) : (
                <span className="font-normal text-muted" title="The run waits until somebody answers">
                  none
                </span>
              )}
            </Fact>
          )}
        </dl>
      </header>
      {approval.interrupted && open && (
        <p className="rounded border border-warn/40 bg-warn-soft px-3 py-2">
          <strong className="font-semibold text-warn">A call was interrupted.</strong> The server stopped while this step was calling a tool that must not be called twice, so nobody
          knows whether the call went through. Look there first. If it did not, approve: the call is made again. If it did, edit and approve: what you enter counts as its result.
        </p>
      )}
      {!open && (
        <p role="status" className="flex flex-wrap items-baseline gap-x-2 rounded border border-line bg-raised px-3 py-2">
          <Decision decision={approval.decision} />
          <span>
            {byWhom(approval.decided_by)}
            {approval.decided_at && (
              <>
                {" "}
                <time dateTime={approval.decided_at} title={approval.decided_at}>
                  {exactTime(approval.decided_at)}
                </time>
              </>
            )}
          </span>
          {approval.reason && <span className="w-full break-words whitespace-pre-wrap">“{approval.reason}”</span>}
        </p>
      )}
      {open ? (
        <DecideForm approval={approval} payload={payload} />
      ) : (
        <>
          <Part title={approval.interrupted ? "What the call was given" : "What was asked about"}>
            <Value value={payload.value} name={`${approval.step_id}-payload`} truncated={!payload.whole} />
          </Part>
          {approval.decision === "approved" && payload.whole && <Edited approval={approval} asked={payload.value} />}
        </>
      )}
      {open && (
        <div className="grid gap-4 sm:grid-cols-2">
          <Part title="If you approve">
            {approval.interrupted && <p className="mb-1">The call is made again, or your result stands for it.</p>}
            <Consequence follows={yes} error={document.error} />
          </Part>
          <Part title="If you reject">
            <Consequence follows={no} error={document.error} />
          </Part>
        </div>
      )}
    </article>
  );
}

/** What was approved, where that is not what was asked about. */
function Edited({ approval, asked }: { approval: Approval; asked: unknown }) {
  const { value } = useRecorded(approval.run_id, approval.step_id, "approval.decided", "payload", true);
  if (value === undefined) return null;
  const text = (each: unknown) => (typeof each === "string" ? each : prettyJson(each));
  return (
    <Part title={approval.interrupted ? "What was entered as its result" : "What was approved instead"}>
      {approval.interrupted ? <Value value={value} name={`${approval.step_id}-result`} /> : <WordDiff before={text(asked)} after={text(value)} mono={typeof value !== "string"} />}
    </Part>
  );
}

function Consequence({ follows, error }: { follows: Follows | undefined; error: Error | null }) {
  if (!follows) return <p className="text-muted">{error ? messageOf(error) : "Reading the workflow…"}</p>;
  return (
    <>
      {follows.note && <p>{follows.note}</p>}
      <ul className="mt-0.5 grid gap-1">
        {follows.next.map(({ node, when }, index) => (
          <li key={index} className="flex min-w-0 flex-wrap items-center gap-x-2">
            <KindIcon type={node.type} className="shrink-0 text-muted" />
            <span className="min-w-0 truncate font-medium">{node.name || node.id}</span>
            {typeof node.config?.tool === "string" && <Chip title="The tool that the step calls">{node.config.tool}</Chip>}
            {when && <span className="font-mono text-xs break-all text-muted">if {when}</span>}
          </li>
        ))}
      </ul>
      {follows.later > 0 && <p className="mt-0.5 text-muted">then up to {plural(follows.later, "more step")}</p>}
    </>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <h3 className="mb-1 text-xs font-semibold text-muted">{title}</h3>
      {children}
    </section>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex min-w-0 items-baseline gap-1.5">
      <dt className="text-xs text-muted">{name}</dt>
      <dd className="min-w-0 font-medium break-words">{children}</dd>
    </div>
  );
}
