import { api } from "@/api/client";
import { messageOf } from "@/api/problem";
import { spanQuery, traceKeys } from "@/api/traces";
import type { Span, Trace } from "@/api/types";
import { Button } from "@/ui/button";
import { Chip } from "@/ui/chip";
import { CopyId } from "@/ui/copy";
import { firstLine } from "@/ui/format";
import { Crumbs } from "@/ui/page";
import { Status } from "@/ui/status";
import { toast } from "@/ui/toast";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Pin, PinOff, Star, TriangleAlert } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { statusOf } from "./look";
import { Facts } from "./Facts";
import { Tags } from "./Tags";
import { firstFailing, type SpanTree } from "./tree";

const ScoreDialog = lazy(() => import("./ScoreDialog").then((module) => ({ default: module.ScoreDialog })));

interface Props {
  trace: Trace;
  tree: SpanTree;
  /** The one that is open. */
  span: Span | undefined;
  onSelect: (span: string) => void;
}

/** The trace at a glance: what it is, how it ended, what it took. */
export function TraceHeader({ trace, tree, span, onSelect }: Props) {
  const [scoring, setScoring] = useState(false);
  const client = useQueryClient();
  const pin = useMutation({
    mutationFn: (pinned: boolean) => api.pinTrace(trace.trace_id, pinned),
    onSuccess: () => client.invalidateQueries({ queryKey: traceKeys.trace(trace.trace_id), exact: true }),
    onError: (error) => toast(messageOf(error)),
  });
  const failing = trace.status === "failed" ? firstFailing(tree, trace.spans) : undefined;
  const PinIcon = trace.pinned ? PinOff : Pin;
  return (
    <header className="shrink-0 border-b border-line bg-panel">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 pt-2 xl:flex-nowrap">
        <Crumbs to="/traces" list="Traces" className="truncate" dir="auto" title={trace.name}>
          {trace.name || "Unnamed"}
        </Crumbs>
        <span role="status" className="flex">
          <Status status={statusOf(trace)} />
        </span>
        <CopyId id={trace.trace_id} label="trace id" />
        {trace.pinned && <Chip title="It stays however old it gets">pinned</Chip>}
        <Tags tags={trace.tags} most={5} />
        <div className="ml-auto flex flex-wrap items-center gap-1 xl:shrink-0">
          <RunLink trace={trace} />
          <Button onClick={() => setScoring(true)}>
            <Star size={14} aria-hidden />
            Score
          </Button>
          <Button disabled={pin.isPending} title={trace.pinned ? "Let it go with its age" : "Keep it however old it gets"} onClick={() => pin.mutate(!trace.pinned)}>
            <PinIcon size={14} aria-hidden />
            {trace.pinned ? "Unpin" : "Pin"}
          </Button>
        </div>
      </div>
      <Facts of={trace} />
      {trace.status === "failed" && trace.error && (
        <div role="alert" className="flex items-center gap-2 border-t border-line bg-bad-soft px-4 py-1.5 text-bad">
          <TriangleAlert size={14} className="shrink-0" aria-hidden />
          <p className="min-w-0 flex-1 truncate text-left" title={trace.error} dir="auto">
            {firstLine(trace.error)}
          </p>
          {failing && (
            <Button variant="danger" onClick={() => onSelect(failing)}>
              Open the span
            </Button>
          )}
        </div>
      )}
      {scoring && (
        <Suspense fallback={null}>
          <ScoreDialog trace={trace.trace_id} span={span} onClose={() => setScoring(false)} />
        </Suspense>
      )}
    </header>
  );
}

/** A run of this instance says which one it is. */
function RunLink({ trace }: { trace: Trace }) {
  const root = trace.spans.find((span) => span.kind === "workflow" && span.service === "flowtrace");
  const { data } = useQuery({ ...spanQuery(trace.trace_id, root?.span_id ?? ""), enabled: root !== undefined });
  const run = data?.attributes["flowtrace.run_id"];
  if (typeof run !== "string") return null;
  return (
    <Link to="/runs/$id" params={{ id: run }} className="px-1 text-accent underline">
      Open the run
    </Link>
  );
}
