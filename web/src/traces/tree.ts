import { spanStatus } from "./look";
import type { Span, Step } from "@/api/types";
import { ms } from "@/runs/attempts";
import { OPEN_UP_TO, type PathRow, type Sum } from "@/runs/rows";

/** A span and what is under it. */
interface Node {
  span: Span;
  step: Step;
  children: Node[];
  sum: Sum;
}

export interface SpanTree {
  roots: Node[];
  /** By id of the span. */
  nodes: ReadonlyMap<string, Node>;
  /** End of the last span; milliseconds since the epoch. */
  end: number;
}

/** A span as the rows of a run show a step. */
export function stepOf(span: Span, end: string): Step {
  const known = {
    step_id: span.span_id,
    node_id: span.span_id,
    node_type: span.kind,
    name: span.name || span.span_id,
    status: spanStatus(span),
    started_at: span.started_at,
    finished_at: span.open ? null : end,
    latency_ms: span.open ? null : span.duration_ms,
    first_token_ms: span.first_token_ms,
    provider: span.provider,
    model: span.model ?? span.model_requested,
    simulated: span.simulated,
    tokens_input: span.tokens_input,
    tokens_output: span.tokens_output,
    tokens_cached: span.tokens_cached,
    tokens_reasoning: span.tokens_reasoning,
    cost_nanousd: span.cost_nanousd,
  } as const;
  return { ...NOTHING, ...known };
}

/** What a span does not have. */
const NOTHING: Omit<Step, "step_id" | "node_id" | "node_type" | "name" | "status" | "started_at" | "finished_at" | "latency_ms" | "first_token_ms" | "provider" | "model" | "simulated" | "tokens_input" | "tokens_output" | "tokens_cached" | "tokens_reasoning" | "cost_nanousd"> = {
  attempts: 1,
  requests: 1,
  next_attempt_at: null,
  cached: false,
  answered_by: null,
  cost_cents: null,
  saved_nanousd: null,
  branch: null,
  repairs: 0,
  handled: false,
  failed_inside: null,
  progress: null,
  question: null,
  reused_from: null,
  input: null,
  input_bytes: null,
  input_truncated: false,
  output: null,
  output_bytes: null,
  output_truncated: false,
  error: null,
};

/** Text with a year of more than four digits sorts wrongly, so no end is later than that. */
const LAST = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

function endOf(span: Span): number {
  return Math.min(LAST, ms(span.started_at) + Math.max(0, span.duration_ms));
}

/** As the API writes times: with microseconds, so that a short span does not end before it begins. */
export function timeText(time: number): string {
  const micros = Math.round(time * 1000);
  return `${new Date(Math.floor(micros / 1000)).toISOString().slice(0, 23)}${String(((micros % 1000) + 1000) % 1000).padStart(3, "0")}Z`;
}

/**
 * Spans by their parents. One whose parent is not there is a root, and so is one of each ring. No depth is too much: nothing
 * here calls itself.
 *
 * @param spans earliest first, as the API gives them
 */
export function spanTree(spans: readonly Span[]): SpanTree {
  const nodes = new Map<string, Node>();
  let end = 0;
  for (const span of spans) {
    if (nodes.has(span.span_id)) continue;
    const last = endOf(span);
    end = Math.max(end, last);
    const sum: Sum = { steps: 0, failed: 0, active: 0, start: null, end: null, tokens: null, costNanousd: null };
    nodes.set(span.span_id, { span, step: stepOf(span, timeText(last)), children: [], sum });
  }
  const parentOf = ({ span }: Node) => (span.parent_span_id && span.parent_span_id !== span.span_id ? nodes.get(span.parent_span_id) : undefined);

  const roots: Node[] = [];
  /** Known to lead to a root. */
  const sure = new Set<Node>();
  for (const node of nodes.values()) {
    const way: Node[] = [];
    const passed = new Set<Node>();
    let at: Node | undefined = node;
    while (at && !sure.has(at) && !passed.has(at)) {
      way.push(at);
      passed.add(at);
      at = parentOf(at);
    }
    // The way came back to itself: the ring is cut where it was entered.
    const cut = at && passed.has(at) ? at : undefined;
    for (const each of way) {
      const parent = each === cut ? undefined : parentOf(each);
      if (parent) parent.children.push(each);
      else roots.push(each);
      sure.add(each);
    }
  }

  // Ways are walked from the bottom, so the order of time comes last.
  const order = new Map([...nodes.values()].map((node, index) => [node, index]));
  const earliest = (a: Node, b: Node) => (order.get(a) ?? 0) - (order.get(b) ?? 0);
  roots.sort(earliest);
  for (const node of nodes.values()) node.children.sort(earliest);

  const down = [...roots];
  for (let at = 0; at < down.length; at++) for (const child of down[at]?.children ?? []) down.push(child);
  for (const node of down.reverse()) for (const child of node.children) add(node.sum, child);
  return { roots, nodes, end };
}

const plus = (a: number | null, b: number | null | undefined) => (b == null ? a : (a ?? 0) + b);

function add(sum: Sum, { span, step, sum: below, children }: Node) {
  sum.steps += 1 + below.steps;
  sum.failed += (step.status === "failed" ? 1 : 0) + below.failed;
  sum.active += (span.open ? 1 : 0) + below.active;
  for (const start of [step.started_at, below.start]) if (start && (sum.start === null || start < sum.start)) sum.start = start;
  for (const end of [step.finished_at, below.end]) if (end && (sum.end === null || end > sum.end)) sum.end = end;
  // Only what the totals count: wrappers repeat what is under them.
  const counts = span.counted ?? children.length === 0;
  sum.tokens = plus(plus(plus(sum.tokens, counts ? span.tokens_input : null), counts ? span.tokens_output : null), below.tokens);
  sum.costNanousd = plus(plus(sum.costNanousd, counts ? span.cost_nanousd : null), below.costNanousd);
}

/** The spans above a span, from the nearest. */
export function above(tree: SpanTree, id: string): string[] {
  const found: string[] = [];
  const seen = new Set([id]);
  let parent = tree.nodes.get(id)?.span.parent_span_id;
  while (parent && tree.nodes.has(parent) && !seen.has(parent)) {
    seen.add(parent);
    found.push(parent);
    parent = tree.nodes.get(parent)?.span.parent_span_id;
  }
  return found;
}

/** Deeper rows stand under each other: beyond this there is no room for their names. */
const DEEPEST = 24;

/**
 * The rows in the order of the tree, without what is under closed ones.
 *
 * @param chosen what the reader opened (true) and closed (false)
 * @param shown a span that has to be in view
 */
export function spanRows(tree: SpanTree, chosen: ReadonlyMap<string, boolean>, shown: string | undefined): PathRow[] {
  const revealed = new Set(shown ? above(tree, shown) : []);
  const rows: PathRow[] = [];
  const waiting = tree.roots.map((node) => ({ node, depth: 0 })).reverse();
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { node, depth } = next;
    const { span, step, children, sum } = node;
    const open = children.length > 0 && (chosen.get(span.span_id) ?? (children.length <= OPEN_UP_TO || depth === 0 || revealed.has(span.span_id)));
    rows.push({ path: span.span_id, label: step.name, depth: Math.min(depth, DEEPEST), step, children: children.length, open, sum: children.length > 0 ? sum : undefined });
    if (open) for (let index = children.length - 1; index >= 0; index--) waiting.push({ node: children[index] as Node, depth: depth + 1 });
  }
  return rows;
}

/** The span that a failed trace opens on: the earliest failing one under which none failed. */
export function firstFailing(tree: SpanTree, spans: readonly Span[]): string | undefined {
  const failed = spans.filter((span) => span.status === "error");
  const deepest = failed.find((span) => tree.nodes.get(span.span_id)?.sum.failed === 0);
  return (deepest ?? failed[0])?.span_id;
}
