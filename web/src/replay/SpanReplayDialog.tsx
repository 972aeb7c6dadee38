import { api } from "@/api/client";
import { messageOf } from "@/api/problem";
import { catalogQuery } from "@/api/queries";
import type { SpanReplay, SpanReplayPreview } from "@/api/types";
import { Button, IconButton } from "@/ui/button";
import { Chip } from "@/ui/chip";
import { Dialog } from "@/ui/dialog";
import { SkeletonRows } from "@/ui/feedback";
import { Field, Input, Select, TextArea } from "@/ui/field";
import { usd } from "@/ui/format";
import { prettyJson } from "@/ui/json";
import { JsonField } from "@/ui/jsonField";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Info, Play, Plus, Trash2, TriangleAlert } from "lucide-react";
import { useId, useMemo, useState } from "react";
import { replayOf, type Said, type SpanDraft } from "./spanDraft";
import { useSettled } from "./useSettled";

/** A model call of a trace, made again: what is sent, to whom, and about what it costs. */
export function SpanReplayDialog({ trace, span, name, onClose }: { trace: string; span: string; name: string; onClose: () => void }) {
  // As it was: what the form begins with. The server reads the messages of every SDK in one way.
  const original = useQuery({
    queryKey: ["span-replay", trace, span, "original"],
    queryFn: ({ signal }) => api.previewSpanReplay(trace, span, {}, signal),
    staleTime: Infinity,
    retry: false,
  });
  return (
    <Dialog title={`Replay ${name}`} onClose={onClose} className="w-[min(900px,calc(100vw-16px))]">
      {original.data ? (
        <Form trace={trace} span={span} original={original.data} onClose={onClose} />
      ) : original.error ? (
        <p role="alert" className="p-4 text-bad">
          {messageOf(original.error)}
        </p>
      ) : (
        <SkeletonRows rows={6} height={32} label="Reading the call" />
      )}
    </Dialog>
  );
}

function Form({ trace, span, original, onClose }: { trace: string; span: string; original: SpanReplayPreview; onClose: () => void }) {
  const navigate = useNavigate();
  const client = useQueryClient();
  const models = useId();
  const { data: catalog } = useQuery(catalogQuery);
  const [draft, setDraft] = useState<SpanDraft>(() => ({
    provider: original.provider ?? "",
    model: original.model ?? "",
    system: original.system ?? "",
    messages: original.messages.length > 0 ? (original.messages as Said[]) : [{ role: "user", content: "" }],
    parameters: prettyJson(original.parameters),
  }));
  const set = (part: Partial<SpanDraft>) => setDraft((old) => ({ ...old, ...part }));
  const say = (at: number, part: Partial<Said>) => set({ messages: draft.messages.map((message, index) => (index === at ? { ...message, ...part } : message)) });
  const made = useMemo(() => replayOf(draft), [draft]);
  // The server is asked when the typing rests.
  const body = useSettled(made.error === undefined ? JSON.stringify(made.body) : null, 300);
  const preview = useQuery({
    queryKey: ["span-replay", trace, span, body],
    queryFn: ({ signal }) => api.previewSpanReplay(trace, span, JSON.parse(body ?? "") as SpanReplay, signal),
    enabled: body !== null,
    placeholderData: keepPreviousData,
    retry: false,
    staleTime: Infinity,
  });
  const [key] = useState(() => crypto.randomUUID());
  const start = useMutation({
    mutationFn: async () => {
      if (made.error !== undefined) throw new Error(made.error);
      return (await api.replaySpan(trace, span, made.body, `${key}-${preview.dataUpdatedAt}`)).runId;
    },
    onSuccess: (id) => {
      void client.invalidateQueries({ queryKey: ["runs"] });
      onClose();
      void navigate({ to: "/compare", search: { a: `span:${trace}:${span}`, b: id } });
    },
  });
  const shown = preview.data ?? original;
  const failure = preview.error ?? start.error;
  const wrong = made.error ?? (failure ? messageOf(failure) : (shown.problem ?? undefined));
  return (
    <form
      className="grid max-h-[calc(100vh-96px)] grid-rows-[minmax(0,1fr)_auto]"
      onSubmit={(event) => {
        event.preventDefault();
        start.mutate();
      }}
    >
      <div className="grid grid-cols-[minmax(0,1fr)] gap-x-5 gap-y-3 overflow-y-auto p-4 sm:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]" tabIndex={0} role="region" aria-label="What is sent">
        <div className="grid auto-rows-min grid-cols-[minmax(0,1fr)] gap-3">
          <Field label="System message">
            {(ids) => <TextArea {...ids} dir="auto" rows={rowsOf(draft.system, 2)} value={draft.system} onChange={(event) => set({ system: event.target.value })} />}
          </Field>
          {draft.messages.map((message, index) => (
            <div key={index} className="grid gap-1">
              <div className="flex items-center gap-2">
                <Select aria-label={`Who said message ${index + 1}`} value={message.role} onChange={(event) => say(index, { role: event.target.value as Said["role"] })} className="!w-28">
                  <option value="user">User</option>
                  <option value="assistant">Assistant</option>
                </Select>
                <span className="ml-auto">
                  <IconButton label={`Remove message ${index + 1}`} disabled={draft.messages.length === 1} onClick={() => set({ messages: draft.messages.filter((_, other) => other !== index) })}>
                    <Trash2 size={14} aria-hidden />
                  </IconButton>
                </span>
              </div>
              <TextArea aria-label={`Message ${index + 1}`} dir="auto" rows={rowsOf(message.content, 3)} value={message.content} onChange={(event) => say(index, { content: event.target.value })} />
            </div>
          ))}
          <div>
            <Button variant="ghost" onClick={() => set({ messages: [...draft.messages, { role: draft.messages.at(-1)?.role === "user" ? "assistant" : "user", content: "" }] })}>
              <Plus size={14} aria-hidden />
              Add a message
            </Button>
          </div>
        </div>
        <div className="grid auto-rows-min grid-cols-[minmax(0,1fr)] gap-3">
          <Field label="Provider">
            {(ids) => (
              <Select {...ids} value={draft.provider} onChange={(event) => set({ provider: event.target.value })}>
                {!catalog?.providers.some((each) => each.name === draft.provider) && <option value={draft.provider}>{draft.provider || "Choose one"}</option>}
                {catalog?.providers.map((each) => (
                  <option key={each.name} value={each.name} disabled={!each.configured}>
                    {each.name}
                    {each.configured ? (each.simulated ? " (simulated)" : "") : " (not set up)"}
                  </option>
                ))}
              </Select>
            )}
          </Field>
          <Field label="Model">{(ids) => <Input {...ids} list={models} value={draft.model} onChange={(event) => set({ model: event.target.value })} />}</Field>
          <datalist id={models}>
            {catalog?.models.filter((each) => each.provider === draft.provider).map((each) => <option key={each.model} value={each.model} />)}
          </datalist>
          <JsonField label="Parameters, as JSON" hint="temperature, topP, maxTokens, stop, seed" value={draft.parameters} onChange={(parameters) => set({ parameters })} />
          {shown.notes.length > 0 && (
            <ul aria-label="What is not as it was" className="grid gap-1.5">
              {shown.notes.map((note) => (
                <li key={note} className="flex gap-2 rounded border border-warn/40 bg-warn-soft px-3 py-1.5 text-warn">
                  <TriangleAlert size={14} className="mt-[3px] shrink-0" aria-hidden />
                  <span className="min-w-0 break-words">{note}</span>
                </li>
              ))}
            </ul>
          )}
          <p className="flex gap-2 text-muted">
            <Info size={14} className="mt-[3px] shrink-0" aria-hidden />
            <span className="min-w-0">It becomes a run of one step, linked to this span. The trace stays as it is.</span>
          </p>
        </div>
      </div>
      <footer className="grid gap-2 border-t border-line px-4 py-3">
        {wrong && (
          <div role="alert" className="rounded bg-bad-soft px-3 py-1.5 break-words text-bad">
            {wrong}
          </div>
        )}
        <div className="flex flex-wrap items-center gap-2">
          <span role="status" className="mr-auto flex flex-wrap items-center gap-2 text-muted" aria-busy={preview.isFetching}>
            <Estimate preview={shown} />
          </span>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" disabled={wrong !== undefined || preview.isFetching || start.isPending}>
            <Play size={14} aria-hidden />
            Start and compare
          </Button>
        </div>
      </footer>
    </form>
  );
}

function Estimate({ preview }: { preview: SpanReplayPreview }) {
  const whom = preview.provider && preview.model ? `${preview.provider} ${preview.model}` : "nobody yet";
  return (
    <>
      <span className="break-all">To {whom}:</span>
      {preview.estimate_nanousd == null ? (
        "what it will cost is not known."
      ) : (
        <span title="The tokens of the span, in proportion to the length of the messages, at the price of the model">
          about <span className="num font-medium text-text">{usd(preview.estimate_nanousd)}</span>
        </span>
      )}
      {preview.simulated && (
        <Chip tone="warn" title="The simulated provider answers: nothing is sent out, nothing costs money">
          simulated
        </Chip>
      )}
    </>
  );
}

const rowsOf = (text: string, least: number) => Math.min(12, Math.max(least, text.split("\n").length + 1));
