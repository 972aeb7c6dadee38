import { ApiProblem, messageOf } from "@/api/problem";
import { spanCompareQuery } from "@/api/queries";
import { Chip } from "@/ui/chip";
import { EmptyState, ErrorBanner, SkeletonRows } from "@/ui/feedback";
import { shortId } from "@/ui/format";
import { PageHeader } from "@/ui/page";
import { Status } from "@/ui/status";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { StepDiff } from "./StepDiff";

/** A model call of a trace (A) beside the run that made it again (B). */
export function SpanCompare({ trace, span, run }: { trace: string; span: string; run: string }) {
  const query = useQuery({
    ...spanCompareQuery(trace, span, run),
    refetchInterval: ({ state: { data } }) => (data && ["queued", "running"].includes(data.run.status) ? 1_000 : false),
  });
  const { data } = query;
  if (!data) {
    const missing = query.error instanceof ApiProblem && query.error.status === 404;
    return (
      <>
        <PageHeader title="Compare" />
        {!query.error ? (
          <SkeletonRows rows={12} height={32} label="Comparing the calls" />
        ) : missing ? (
          <EmptyState title="The span or the run is not there">{messageOf(query.error)}</EmptyState>
        ) : (
          <ErrorBanner message={messageOf(query.error)} onRetry={() => void query.refetch()} />
        )}
      </>
    );
  }
  const { step } = data;
  return (
    <>
      <PageHeader title="Compare">
        <span role="status" className="text-muted">
          {step.b ? (step.differs.length === 0 ? "nothing differs" : `differs in ${step.differs.join(", ")}`) : "under way"}
        </span>
      </PageHeader>
      {query.error && <ErrorBanner message={messageOf(query.error)} onRetry={() => void query.refetch()} />}
      <div className="flex shrink-0 flex-col gap-1 border-b border-line bg-panel px-4 py-2">
        <p className="flex min-w-0 flex-wrap items-center gap-x-2">
          <span className="font-semibold">A</span>
          <span className="text-muted">the span</span>
          <Link to="/traces/$id" params={{ id: trace }} search={{ span }} className="min-w-0 truncate font-medium hover:underline" dir="auto">
            {data.name || span}
          </Link>
          <span className="num text-muted">of trace {shortId(trace)}</span>
        </p>
        <p className="flex min-w-0 flex-wrap items-center gap-x-2">
          <span className="font-semibold">B</span>
          <span className="text-muted">the run that made it again</span>
          <Link to="/runs/$id" params={{ id: run }} className="num font-medium hover:underline">
            {shortId(run)}
          </Link>
          <Status status={data.run.status} />
          {data.run.simulated && (
            <Chip tone="warn" title="The models were simulated: nothing was sent out, no money was spent">
              simulated
            </Chip>
          )}
        </p>
      </div>
      <section aria-label="The call" className="flex min-h-0 flex-1 flex-col bg-panel">
        <StepDiff a={{ trace, span }} b={run} step={step} />
      </section>
    </>
  );
}
