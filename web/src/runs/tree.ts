import type { Step } from "@/api/types";

export interface TreeRow {
  /** The path that this row stands for. */
  path: string;
  label: string;
  depth: number;
  /** Absent for a part of a path that is no step of its own. */
  step?: Step;
  children: number;
}

/**
 * Steps as a tree by their paths (`review[2]/critic` stands under `review[2]`, and that under `review`), in the order in which
 * they appeared, without what is under the closed ones.
 */
export function treeRows(steps: readonly Step[], closed: ReadonlySet<string>): TreeRow[] {
  interface Node {
    path: string;
    label: string;
    step?: Step;
    children: Map<string, Node>;
  }
  const root: Node = { path: "", label: "", children: new Map() };
  const child = (node: Node, path: string, label: string) => {
    const known = node.children.get(path);
    if (known) return known;
    const made: Node = { path, label, children: new Map() };
    node.children.set(path, made);
    return made;
  };
  for (const step of steps) {
    let node = root;
    let at = 0;
    for (const part of step.step_id.split("/")) {
      const end = at + part.length;
      const bracket = part.indexOf("[");
      if (bracket > 0) node = child(node, step.step_id.slice(0, at + bracket), part.slice(0, bracket));
      node = child(node, step.step_id.slice(0, end), bracket > 0 ? part.slice(bracket) : part);
      at = end + 1;
    }
    node.step = step;
  }
  const rows: TreeRow[] = [];
  const visit = (node: Node, depth: number) => {
    for (const each of node.children.values()) {
      rows.push({ path: each.path, label: each.label, depth, step: each.step, children: each.children.size });
      if (!closed.has(each.path)) visit(each, depth + 1);
    }
  };
  visit(root, 0);
  return rows;
}
