import { api } from "@/api/client";
import { ApiProblem, messageOf } from "@/api/problem";
import { placeOf } from "@/api/place";
import { runGraphQuery } from "@/api/queries";
import type { ForkPreview, Graph, Run, Step } from "@/api/types";
import { KindIcon, kindLabel } from "@/nodes/kind";
import { Button } from "@/ui/button";
import { Chip } from "@/ui/chip";
import { Dialog } from "@/ui/dialog";
import { SkeletonRows } from "@/ui/feedback";
import { Field, Select } from "@/ui/field";
import { plural, usd } from "@/ui/format";
import { prettyJson } from "@/ui/json";
import { JsonField } from "@/ui/jsonField";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { CircleCheck, Play, RotateCw, TriangleAlert } from "lucide-react";
import { useDeferredValue, useMemo, useState, type ReactNode } from "react";
import { editable, forkOf, UNCHANGED, type Draft } from "./edits";
import { More, NodeFields } from "./NodeFields";
import { useSettled } from "./useSettled";

/** How many steps of a list are shown at once. */
const SHOWN = 12;

/** What runs again, what is reused, and what is to be different this time. */
export function ReplayDialog({ run, step, onClose }: { run: Run; step: Step; onClose: () => void }) {
  const navigate = useNavigate();
  const client = useQueryClient();
  const document = useQuery(runGraphQuery(run.id));
  const [draft, setDraft] = useState<Draft>({ nodes: {} });
  const [editing, setEditing] = useState<string>();
  // Which steps run again is known from the first answer on.
  const [again, setAgain] = useState<ForkPreview["again"]>([]);
  const nodes = useMemo(() => (document.data ? editable(document.data, step, again) : []), [document.data, step, again]);
  const node = nodes.find((each) => each.id === editing) ?? nodes[0];
  const whole = !run.input_truncated;
  const made = useMemo(() => forkOf(step.step_id, nodes, run.input, draft), [step.step_id, nodes, run.input, draft]);
  const changed = made.error === undefined ? Object.keys(made.fork.edits) : [];
  // The server is asked when the typing rests.
  const body = useSettled(useDeferredValue(made.error === undefined ? JSON.stringify(made.fork) : null), 300);
  const preview = useQuery({
    queryKey: ["fork", run.id, body],
    queryFn: ({ signal }) => api.previewFork(run.id, JSON.parse(body ?? "") as Parameters<typeof api.previewFork>[1], signal),
    enabled: body !== null && document.data !== undefined,
    placeholderData: keepPreviousData,
    retry: false,
    staleTime: Infinity,
  });
  if (preview.data && again.length === 0 && preview.data.again.length > 0) setAgain(preview.data.again);
  const start = useMutation({
    mutationFn: async () => {
      if (made.error !== undefined) throw new Error(made.error);
      return (await api.forkRun(run.id, made.fork)).runId;
    },
    onSuccess: (id) => {
      void client.invalidateQueries({ queryKey: ["runs"] });
      onClose();
      void navigate({ to: "/compare", search: { a: run.id, b: id } });
    },
  });
  const wrong = made.error ?? (preview.error ? messageOf(preview.error) : start.error ? messageOf(start.error) : undefined);
  const problems = preview.error instanceof ApiProblem ? preview.error.problems : start.error instanceof ApiProblem ? start.error.problems : [];
  const set = (part: Partial<Draft>) => setDraft((old) => ({ ...old, ...part }));

  return (
    <Dialog title={`Replay from ${step.name || step.step_id}`} onClose={onClose} className="w-[min(860px,calc(100vw-16px))]">
      <form
        className="grid max-h-[calc(100vh-96px)] grid-rows-[minmax(0,1fr)_auto]"
        onSubmit={(event) => {
          event.preventDefault();
          start.mutate();
        }}
      >
        <div className="grid grid-cols-[minmax(0,1fr)] gap-x-5 gap-y-3 overflow-y-auto p-4 sm:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]" tabIndex={0} role="region" aria-label="What is replayed">
          <div className="grid auto-rows-min grid-cols-[minmax(0,1fr)] gap-3">
            {document.error && <p className="text-bad">{messageOf(document.error)}</p>}
            {!document.data && !document.error && <SkeletonRows rows={4} height={32} label="Reading the workflow" />}
            {node && (
              <Field label="Step to edit" hint={changed.length > 0 ? `Changed: ${changed.join(", ")}` : undefined}>
                {(ids) => (
                  <Select {...ids} disabled={nodes.length < 2} value={node.id} onChange={(event) => setEditing(event.target.value)}>
                    {nodes.map((each) => (
                      <option key={each.id} value={each.id}>
                        {each.name && each.name !== each.id ? `${each.name} (${each.id})` : each.id}, {kindLabel(each.type)}
                        {document.data && ownerOf(document.data, each.id)}
                      </option>
                    ))}
                  </Select>
                )}
              </Field>
            )}
            {node && (
              <NodeFields
                key={node.id}
                node={node}
                draft={draft.nodes[node.id] ?? UNCHANGED}
                onChange={(next) => set({ nodes: { ...draft.nodes, [node.id]: next } })}
                provider={step.provider}
                model={step.model}
                autoFocus={editing === undefined}
              />
            )}
            <More title="The input of the run">
              {whole ? (
                <JsonField label="Input of the run, as JSON" hint="Steps that are reused keep what they made of the old input." value={draft.run ?? prettyJson(run.input)} onChange={(run) => set({ run })} />
              ) : (
                <p className="text-muted">It is too large to be edited here; the new run gets the same.</p>
              )}
            </More>
          </div>
          <PreviewLists preview={preview.data} loading={preview.isFetching || body === null} />
        </div>
        <footer className="grid gap-2 border-t border-line px-4 py-3">
          {wrong && (
            <div role="alert" className="rounded bg-bad-soft px-3 py-1.5 break-words text-bad">
              {wrong}
              {problems.length > 0 && (
                <ul className="list-disc pl-4">
                  {problems.slice(0, 5).map((problem, index) => (
                    <li key={index}>{problem.message}</li>
                  ))}
                </ul>
              )}
            </div>
          )}
          <div className="flex flex-wrap items-center gap-2">
            <span role="status" className="mr-auto text-muted">
              {preview.data && <Estimate preview={preview.data} edited={made.error === undefined && made.edited} />}
            </span>
            <Button onClick={onClose}>Cancel</Button>
            <Button type="submit" variant="primary" disabled={!preview.data || Boolean(made.error) || Boolean(preview.error) || start.isPending}>
              <Play size={14} aria-hidden />
              Start and compare
            </Button>
          </div>
        </footer>
      </form>
    </Dialog>
  );
}

/** Which node's body it is part of. */
function ownerOf(graph: Graph, id: string): string {
  const owner = placeOf(graph, id)?.owner;
  return owner ? `, in ${owner.id}` : "";
}

function Estimate({ preview, edited }: { preview: ForkPreview; edited: boolean }) {
  if (preview.estimate_nanousd == null) return <>What it will cost is unknown: some call has no known price.</>;
  return (
    <>
      What runs again cost <span className="num font-medium text-text">{usd(preview.estimate_nanousd)}</span> before{edited && "; your edit may change that"}.
    </>
  );
}

function PreviewLists({ preview, loading }: { preview: ForkPreview | undefined; loading: boolean }) {
  if (!preview) return loading ? <SkeletonRows rows={6} height={24} label="Asking what is reused" /> : <div />;
  const effects = preview.again.filter((step) => step.side_effect);
  return (
    <div className="grid auto-rows-min grid-cols-[minmax(0,1fr)] gap-3" aria-busy={loading}>
      {effects.length > 0 && (
        <p className="flex gap-2 rounded border border-warn/40 bg-warn-soft px-3 py-2 text-warn">
          <TriangleAlert size={14} className="mt-[3px] shrink-0" aria-hidden />
          <span className="min-w-0 break-words">
            {effects.length === 1 ? `${effects[0]?.step_id} changes something outside, and does so again.` : `${plural(effects.length, "step")} change something outside, and do so again.`}
          </span>
        </p>
      )}
      <StepList
        icon={<RotateCw size={14} className="shrink-0 text-run" aria-hidden />}
        title={`${plural(preview.again.length, "step")} ${preview.again.length === 1 ? "runs" : "run"} again`}
        steps={preview.again}
      />
      <StepList
        icon={<CircleCheck size={14} className="shrink-0 text-ok" aria-hidden />}
        title={`${plural(preview.reused.length, "step")} ${preview.reused.length === 1 ? "is" : "are"} reused, at no cost`}
        steps={preview.reused}
      />
    </div>
  );
}

function StepList({ icon, title, steps }: { icon: ReactNode; title: string; steps: { step_id: string; node_type: string; side_effect?: boolean }[] }) {
  const [all, setAll] = useState(false);
  const shown = all ? steps : steps.slice(0, SHOWN);
  return (
    <section aria-label={title}>
      <h3 className="flex items-center gap-2 font-medium">
        {icon}
        {title}
      </h3>
      <ul className="mt-1 grid gap-0.5">
        {shown.map((step) => (
          <li key={step.step_id} className="flex min-w-0 items-center gap-1.5 pl-5">
            <KindIcon type={step.node_type} className="shrink-0 text-muted" />
            <span className="min-w-0 truncate" title={step.step_id}>
              {step.step_id}
            </span>
            {step.side_effect && <Chip tone="warn">side effect</Chip>}
          </li>
        ))}
      </ul>
      {steps.length > shown.length && (
        <Button variant="ghost" onClick={() => setAll(true)}>
          Show all {plural(steps.length, "step")}
        </Button>
      )}
    </section>
  );
}
