import { api } from "@/api/client";
import { placeOf } from "@/api/place";
import { keys, runGraphQuery } from "@/api/queries";
import { useRecorded } from "@/api/recorded";
import type { Aligned, Side } from "@/api/types";
import { KindIcon, kindLabel } from "@/nodes/kind";
import { IconButton } from "@/ui/button";
import { Chip } from "@/ui/chip";
import { WordDiff } from "@/ui/diff";
import { count, duration, usd } from "@/ui/format";
import { prettyJson } from "@/ui/json";
import { Status, type AnyStatus } from "@/ui/status";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { X } from "lucide-react";
import type { ReactNode } from "react";
import { delta } from "./delta";
import { promptText, textOf } from "./text";

/** Where the left side comes from: a run, or a model call of a trace, which is whole already. */
export type Left = string | { trace: string; span: string };

const runOf = (left: Left) => (typeof left === "string" ? left : "");

/** One step of both runs: its numbers, and what differs in words. */
export function StepDiff({ a, b, step, onClose }: { a: Left; b: string; step: Aligned; onClose?: () => void }) {
  const parts = useParts(a, b, step);
  return (
    <>
      <header className="flex shrink-0 items-center gap-2 border-b border-line px-4 py-2">
        <KindIcon type={step.node_type} className="shrink-0 text-muted" />
        <h2 className="min-w-0 truncate text-base font-semibold" title={step.step_id}>
          {step.step_id}
        </h2>
        <span className="shrink-0 text-muted">{kindLabel(step.node_type)}</span>
        {onClose && (
          <span className="ml-auto">
            <IconButton label="Close the step (Esc)" onClick={onClose}>
              <X size={16} aria-hidden />
            </IconButton>
          </span>
        )}
      </header>
      <div className="grid min-h-0 flex-1 auto-rows-min grid-cols-[minmax(0,1fr)] gap-4 overflow-y-auto px-4 py-3" tabIndex={0} role="region" aria-label="Differences">
        <Numbers a={a} b={b} step={step} />
        {parts.map((part) => (
          <Part key={part.title} {...part} missing={!step.a ? "A" : !step.b ? "B" : undefined} />
        ))}
      </div>
    </>
  );
}

interface PartProps {
  title: string;
  before: string;
  after: string;
  mono?: boolean;
  /** Only the beginnings could be read. */
  cut?: boolean;
  note?: string;
}

function useParts(a: Left, b: string, step: Aligned): PartProps[] {
  const left = useWhole(runOf(a), step, step.a);
  const right = useWhole(b, step, step.b);
  const graphs = [useQuery({ ...runGraphQuery(runOf(a)), enabled: typeof a === "string" }).data, useQuery({ ...runGraphQuery(b), enabled: typeof a === "string" }).data];
  const nodes = graphs.map((graph) => graph && placeOf(graph, step.node_id)?.node);
  const prompts = [promptText(left.prompt), promptText(right.prompt)] as const;
  // Of a step that was not made again there is no call to compare.
  const reused = step.a?.reused || step.b?.reused;
  const all: PartProps[] = [
    { title: "Error", before: step.a?.error ?? "", after: step.b?.error ?? "" },
    ...(reused ? [] : [{ title: step.node_type === "llm" || step.node_type === "agent_model" ? "Prompt" : "Request", before: prompts[0].text, after: prompts[1].text, mono: prompts[0].mono && prompts[1].mono, cut: left.cut.prompt || right.cut.prompt }]),
    { title: "Output", before: textOf(left.output), after: textOf(right.output), mono: typeof left.output !== "string" && typeof right.output !== "string", cut: left.cut.output || right.cut.output },
    // A span has no input besides its messages.
    { title: "Input", before: textOf(left.input), after: typeof a === "string" ? textOf(right.input) : "", mono: true, cut: left.cut.input || right.cut.input },
    { title: "Configuration", before: configOf(nodes[0]), after: configOf(nodes[1]), mono: true },
  ];
  const there = all.filter((part) => part.before !== "" || part.after !== "");
  return [...there.filter((part) => part.before !== part.after), ...there.filter((part) => part.before === part.after)];
}

function configOf(node: { [key: string]: unknown } | undefined): string {
  if (!node) return "";
  // The body of a container is compared step by step.
  const config = { ...(node.config as Record<string, unknown> | undefined) };
  delete config.body;
  const rest: Record<string, unknown> = { ...node, config };
  delete rest.ui;
  return prettyJson(rest);
}

/** The values of a side, whole where the comparison has only their beginnings. */
function useWhole(run: string, step: Aligned, side: Side | null | undefined) {
  const cut = Boolean(side?.input_truncated || side?.output_truncated);
  const full = useQuery({ queryKey: [...keys.step(run, step.step_id), side?.status, "whole"], queryFn: ({ signal }) => api.step(run, step.step_id, signal), enabled: cut, staleTime: Infinity });
  const model = useRecorded(run, step.step_id, "llm.request", "prompt", Boolean(side?.prompt_truncated) && step.node_type !== "tool");
  const tool = useRecorded(run, step.step_id, "tool.request", "config", Boolean(side?.prompt_truncated) && step.node_type === "tool");
  const prompt = model.value ?? tool.value;
  return {
    input: full.data && !full.data.input_truncated ? full.data.input : side?.input,
    output: full.data && !full.data.output_truncated ? full.data.output : side?.output,
    prompt: prompt ?? side?.prompt,
    cut: {
      input: Boolean(side?.input_truncated) && (full.data?.input_truncated ?? true),
      output: Boolean(side?.output_truncated) && (full.data?.output_truncated ?? true),
      prompt: Boolean(side?.prompt_truncated) && prompt === undefined,
    },
  };
}

function Part({ title, before, after, mono, cut, missing }: PartProps & { missing?: "A" | "B" }) {
  const same = before === after;
  const note = cut ? <p className="mb-1 text-muted">Only the beginnings are compared: the whole is in the runs.</p> : null;
  if (same) {
    return (
      <details className="rounded border border-line">
        <summary className="px-3 py-1 text-muted">
          <h3 className="inline text-xs font-semibold">{title}</h3>: {cut ? "the beginnings are the same" : "the same"}
        </summary>
        <div className="border-t border-line px-3 py-2">
          {note}
          <WordDiff before={before} after={after} mono={mono} />
        </div>
      </details>
    );
  }
  return (
    <section aria-label={title}>
      <h3 className="mb-1 flex items-center gap-2 text-xs font-semibold text-muted">
        {title}
        {!missing && <Chip tone="accent">differs</Chip>}
      </h3>
      {note}
      {missing ? (
        <pre className={mono ? "font-mono text-xs leading-5 break-words whitespace-pre-wrap" : "font-sans break-words whitespace-pre-wrap"}>{missing === "A" ? after : before}</pre>
      ) : (
        <WordDiff before={before} after={after} mono={mono} />
      )}
    </section>
  );
}

function Numbers({ a, b, step }: { a: Left; b: string; step: Aligned }) {
  const lines: [name: string, left: ReactNode, right: ReactNode, change: ReactNode][] = [
    ["Time", duration(step.a?.latency_ms), duration(step.b?.latency_ms), delta(step.a?.latency_ms, step.b?.latency_ms, duration)?.text],
    ["Tokens", count(step.a?.tokens), count(step.b?.tokens), delta(step.a?.tokens, step.b?.tokens, count)?.text],
    ["Cost", usd(step.a?.cost_nanousd), usd(step.b?.cost_nanousd), delta(step.a?.cost_nanousd, step.b?.cost_nanousd, usd)?.text],
  ];
  if (step.a?.model || step.b?.model) lines.unshift(["Model", modelOf(step.a), modelOf(step.b), modelOf(step.a) === modelOf(step.b) ? "the same" : "another"]);
  const side = (from: Left, letter: string, of: Side | null | undefined) => (
    <th scope="col" className="py-0.5 pr-4 text-left font-normal">
      <span className="flex flex-wrap items-center gap-x-2">
        <span className="font-semibold">{letter}</span>
        {of ? (
          <>
            <Status status={of.status as AnyStatus} />
            {of.reused && <Chip title="Another run did the work; here it cost nothing">reused</Chip>}
            {of.cached && <Chip tone="cache">cached</Chip>}
            {typeof from === "string" ? (
              <Link to="/runs/$id" params={{ id: from }} search={{ step: step.step_id }} className="text-accent hover:underline" aria-label={`Open the step in ${letter}`}>
                open
              </Link>
            ) : (
              <Link to="/traces/$id" params={{ id: from.trace }} search={{ span: from.span }} className="text-accent hover:underline" aria-label={`Open the span in ${letter}`}>
                open
              </Link>
            )}
          </>
        ) : (
          <span className="text-muted">did not get there</span>
        )}
      </span>
    </th>
  );
  return (
    <div className="overflow-x-auto" tabIndex={0} role="region" aria-label="Numbers">
      <table>
        <thead>
          <tr>
            <th scope="col" className="pr-4 text-left font-normal">
              <span className="sr-only">What</span>
            </th>
            {side(a, "A", step.a)}
            {side(b, "B", step.b)}
            <th scope="col" className="text-left text-xs font-normal text-muted">
              B over A
            </th>
          </tr>
        </thead>
        <tbody>
          {lines.map(([name, left, right, change]) => (
            <tr key={name}>
              <th scope="row" className="pr-4 text-left font-normal text-muted">
                {name}
              </th>
              <td className="num pr-4">{left}</td>
              <td className="num pr-4">{right}</td>
              <td className="num">{change ?? "—"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const modelOf = (side: Side | null | undefined) => (side?.model ? `${side.provider ?? ""} ${side.model}`.trim() : "—");
