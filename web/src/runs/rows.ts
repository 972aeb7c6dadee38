import type { Step } from "@/api/types";
import { ms } from "./attempts";

/** What the steps under a row come to. */
export interface Sum {
  /** Steps under the row, at any depth; the row's own step does not count. */
  steps: number;
  failed: number;
  /** Under way, or waiting for their next attempt. */
  active: number;
  /** As the API writes them. Times of one width in UTC sort as text. */
  start: string | null;
  /** Absent while some step is under way. */
  end: string | null;
  tokens: number | null;
  costNanousd: number | null;
}

export interface PathRow {
  /** The path that the row stands for: `each`, `each[17]`, `each[17]/summarize`. */
  path: string;
  /** What of the path is not said by the rows above. */
  label: string;
  depth: number;
  /** Absent for a part of a path that is no step of its own. */
  step?: Step;
  /** Rows directly under this one; 0: it cannot be opened. */
  children: number;
  open: boolean;
  /** Of a row with children. */
  sum?: Sum;
}

interface Node {
  path: string;
  label: string;
  step?: Step;
  children: Map<string, Node>;
}

/** A group with more rows than this begins closed: what a map of thousands did is read from its sums first. */
export const OPEN_UP_TO = 50;

/** The paths above a step, from the outermost: `a[2]/b` → `a`, `a[2]`. */
export function ancestors(path: string): string[] {
  const above: string[] = [];
  for (let at = 1; at < path.length; at++) {
    if (path[at] === "/" || path[at] === "[") {
      const part = path.slice(0, at);
      if (above.at(-1) !== part) above.push(part);
    }
  }
  return above;
}

function isNested(path: string): boolean {
  return path.includes("/") || path.includes("[");
}

/** How far a row stands to the right: `step` pixels a level, and less where the deepest row would have no room for its name. */
export const indent = ({ depth }: PathRow, deepest: number, step: number) => (depth === 0 ? undefined : `min(${depth * step}px, ${(40 * depth) / deepest}%)`);

export const deepestOf = (rows: readonly PathRow[]) => rows.reduce((most, row) => Math.max(most, row.depth), 0);

/**
 * Steps as rows by their paths: `review[2]/critic` stands under `review[2]`, and that under `review`. In the order in which
 * they appeared, without what is under closed groups.
 *
 * @param chosen what the reader opened (true) and closed (false)
 * @param shown paths of steps that have to be in view: the one that is open, and the one that failed the run
 */
export function pathRows(steps: readonly Step[], chosen: ReadonlyMap<string, boolean>, shown: readonly (string | undefined | null)[]): PathRow[] {
  // Most runs have no nested step, and large ones are read again and again while they are live.
  if (!steps.some((step) => isNested(step.step_id))) {
    return steps.map((step) => ({ path: step.step_id, label: step.step_id, depth: 0, step, children: 0, open: false }));
  }
  const revealed = new Set(shown.flatMap((path) => (path ? ancestors(path) : [])));
  const rows: PathRow[] = [];
  const visit = (parent: Node, depth: number) => {
    for (const child of parent.children.values()) {
      const { node, label } = straight(child);
      const children = node.children.size;
      const open = children > 0 && (chosen.get(node.path) ?? (children <= OPEN_UP_TO || revealed.has(node.path)));
      rows.push({ path: node.path, label, depth, step: node.step, children, open, sum: children > 0 ? sumOf(node) : undefined });
      if (open) visit(node, depth + 1);
    }
  };
  visit(treeOf(steps), 0);
  return rows;
}

function treeOf(steps: readonly Step[]): Node {
  const root: Node = { path: "", label: "", children: new Map() };
  const child = (node: Node, path: string, label: string) => {
    let made = node.children.get(path);
    if (!made) node.children.set(path, (made = { path, label, children: new Map() }));
    return made;
  };
  for (const step of steps) {
    const path = step.step_id;
    let node = root;
    let from = 0;
    for (let at = 1; at <= path.length; at++) {
      if (at < path.length && path[at] !== "/" && path[at] !== "[") continue;
      // After `]` comes a slash or the end, so no part is empty; whatever else came is a part like any other.
      if (at > from) node = child(node, path.slice(0, at), path.slice(from, at));
      from = path[at] === "/" ? at + 1 : at;
    }
    node.step = step;
  }
  return root;
}

/** A part of a path that is no step and holds one row only is said together with that row: `[17] / summarize`. */
function straight(first: Node): { node: Node; label: string } {
  let node = first;
  let label = first.label;
  while (!node.step && node.children.size === 1) {
    const [only] = node.children.values();
    if (!only) break;
    node = only;
    label += only.label.startsWith("[") ? only.label : ` / ${only.label}`;
  }
  return { node, label };
}

function sumOf(node: Node): Sum {
  const sum: Sum = { steps: 0, failed: 0, active: 0, start: null, end: null, tokens: null, costNanousd: null };
  const add = (value: number | null | undefined, to: number | null) => (value == null ? to : (to ?? 0) + value);
  const visit = (each: Node) => {
    for (const child of each.children.values()) {
      const { step } = child;
      if (step) {
        sum.steps += 1;
        if (step.status === "failed") sum.failed += 1;
        if (!step.finished_at && step.started_at) sum.active += 1;
        if (step.started_at && (sum.start === null || step.started_at < sum.start)) sum.start = step.started_at;
        if (step.finished_at && (sum.end === null || step.finished_at > sum.end)) sum.end = step.finished_at;
        // A group that is a step of its own may carry the sums of what is under it: only leaves are added.
        if (child.children.size === 0) {
          sum.tokens = add(step.tokens_input, sum.tokens);
          sum.tokens = add(step.tokens_output, sum.tokens);
          sum.costNanousd = add(step.cost_nanousd, sum.costNanousd);
        }
      }
      visit(child);
    }
  };
  visit(node);
  if (sum.active > 0) sum.end = null;
  return sum;
}

/** Milliseconds; `null` while it is under way. */
export function tookOf({ step, sum }: PathRow): number | null {
  if (step) return step.latency_ms ?? null;
  return sum?.start && sum.end ? ms(sum.end) - ms(sum.start) : null;
}

export function tokensOf({ step, sum }: PathRow): number | null {
  if (step?.tokens_input != null || step?.tokens_output != null) return (step.tokens_input ?? 0) + (step.tokens_output ?? 0);
  return sum?.tokens ?? null;
}

export const costOf = ({ step, sum }: PathRow): number | null => step?.cost_nanousd ?? sum?.costNanousd ?? null;
