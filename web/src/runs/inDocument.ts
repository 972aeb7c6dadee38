import type { Step } from "@/api/types";

/**
 * Where a step's node stands in its document, as the editor's link names it: `each[17]/tidy` is `tidy` in the body of `each`. What
 * happens inside of an agent or of a called workflow is no part of the document, so it leads to the node that holds it.
 */
export function inDocument(path: string, steps: readonly Pick<Step, "step_id" | "node_type">[]): { node: string; body?: string } {
  const segments = path.split("/");
  const bodies: string[] = [];
  let so = "";
  for (const segment of segments) {
    const id = segment.replace(/\[\d+\]$/, "");
    const owner = so + id;
    const type = steps.find((step) => step.step_id === owner)?.node_type;
    const last = segment === id;
    // `book/undo` takes back what `book` did.
    if (last || type === "agent" || type === "workflow") return at(id, bodies);
    bodies.push(id);
    so += `${segment}/`;
  }
  return at(segments.at(-1) ?? path, bodies);
}

const at = (node: string, bodies: string[]) => (bodies.length > 0 ? { node, body: bodies.join(".") } : { node });
