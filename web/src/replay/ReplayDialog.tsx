import { api } from "@/api/client";
import { ApiProblem, messageOf } from "@/api/problem";
import { catalogQuery, runGraphQuery } from "@/api/queries";
import type { ForkPreview, Run, Step } from "@/api/types";
import { KindIcon } from "@/nodes/kind";
import { Button } from "@/ui/button";
import { Chip } from "@/ui/chip";
import { Dialog } from "@/ui/dialog";
import { WordDiff } from "@/ui/diff";
import { SkeletonRows } from "@/ui/feedback";
import { Field, Input, TextArea } from "@/ui/field";
import { plural, usd } from "@/ui/format";
import { prettyJson } from "@/ui/json";
import { JsonField } from "@/ui/jsonField";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { CircleCheck, Play, RotateCw, TriangleAlert } from "lucide-react";
import { useDeferredValue, useId, useMemo, useState, type ReactNode } from "react";
import { forkOf, nodeOfStep, restOf, textEdits, type Draft } from "./edits";
import { useSettled } from "./useSettled";

/** How many steps of a list are shown at once. */
const SHOWN = 12;

/** What runs again, what is reused, and what is to be different this time. */
export function ReplayDialog({ run, step, onClose }: { run: Run; step: Step; onClose: () => void }) {
  const navigate = useNavigate();
  const client = useQueryClient();
  const document = useQuery(runGraphQuery(run.id));
  const { data: catalog } = useQuery(catalogQuery);
  const node = useMemo(() => document.data && nodeOfStep(document.data, step), [document.data, step]);
  const [draft, setDraft] = useState<Draft>({ texts: {} });
  const models = useId();
  const whole = !run.input_truncated;
  const made = useMemo(() => forkOf(step.step_id, node, run.input, draft), [step.step_id, node, run.input, draft]);
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
  const text = (key: keyof Draft["texts"]) => draft.texts[key] ?? (typeof node?.config?.[key] === "string" ? node.config[key] : "");
  const set = (part: Partial<Draft>) => setDraft((old) => ({ ...old, ...part }));
  const prompt = node ? (textEdits(node.type)[0]?.key ?? null) : null;
  const rest = node ? prettyJson(restOf(node)) : "{}";
  const inputs = node ? prettyJson(node.inputs ?? {}) : "{}";

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
            {node &&
              textEdits(node.type)
                .filter((each) => each.long)
                .filter((each, index) => index === 0 || text(each.key) !== "" || node.config?.[each.key] !== undefined)
                .map(({ key, label }, index) => (
                  <Field key={key} label={label}>
                    {(ids) => (
                      <TextArea
                        {...ids}
                        dir="auto"
                        autoFocus={index === 0}
                        rows={Math.min(12, Math.max(key === prompt ? 4 : 2, text(key).split("\n").length + 1))}
                        value={text(key)}
                        onChange={(event) => set({ texts: { ...draft.texts, [key]: event.target.value } })}
                      />
                    )}
                  </Field>
                ))}
            {prompt && draft.texts[prompt] !== undefined && draft.texts[prompt] !== node?.config?.[prompt] && (
              <section aria-label="What you changed" className="rounded border border-line bg-bg px-3 py-2">
                <WordDiff before={String(node?.config?.[prompt] ?? "")} after={text(prompt)} />
              </section>
            )}
            {node && textEdits(node.type).some((each) => !each.long) && (
              <div className="grid grid-cols-2 gap-3">
                {textEdits(node.type)
                  .filter((each) => !each.long)
                  .map(({ key, label }) => (
                    <Field key={key} label={label}>
                      {(ids) => (
                        <Input
                          {...ids}
                          list={`${models}-${key}`}
                          placeholder={key === "model" ? (step.model ?? "as configured") : (step.provider ?? "as configured")}
                          value={text(key)}
                          onChange={(event) => set({ texts: { ...draft.texts, [key]: event.target.value } })}
                        />
                      )}
                    </Field>
                  ))}
                <datalist id={`${models}-provider`}>
                  {catalog?.providers.map((each) => <option key={each.name} value={each.name} />)}
                </datalist>
                <datalist id={`${models}-model`}>
                  {catalog?.models.filter((each) => each.provider === (text("provider") || step.provider)).map((each) => <option key={each.model} value={each.model} />)}
                </datalist>
              </div>
            )}
            {node && (
              <More title={textEdits(node.type).length > 0 ? "The rest of its configuration" : "Its configuration"} open={textEdits(node.type).length === 0}>
                <JsonField label="Configuration, as JSON" value={draft.rest ?? rest} onChange={(rest) => set({ rest })} />
              </More>
            )}
            {node && Object.keys(node.inputs ?? {}).length > 0 && (
              <More title="Its inputs">
                <JsonField label="Inputs of the step, as JSON" value={draft.inputs ?? inputs} onChange={(inputs) => set({ inputs })} />
              </More>
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

function Estimate({ preview, edited }: { preview: ForkPreview; edited: boolean }) {
  if (preview.estimate_nanousd == null) return <>What it will cost is unknown: some call has no known price.</>;
  return (
    <>
      What runs again cost <span className="num font-medium text-text">{usd(preview.estimate_nanousd)}</span> before{edited && "; your edit may change that"}.
    </>
  );
}

function More({ title, open, children }: { title: string; open?: boolean; children: ReactNode }) {
  return (
    <details open={open} className="rounded border border-line">
      <summary className="px-3 py-1 text-muted">{title}</summary>
      <div className="border-t border-line p-3">{children}</div>
    </details>
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
