import { kindLabel } from "@/nodes/kind";
import { count, duration, plural } from "@/ui/format";
import { statusWord } from "@/ui/status";
import type { PathRow } from "./rows";

/** The name of the step, after the part of the path that tells it from its siblings. */
export function RowName({ row }: { row: PathRow }) {
  const name = row.step?.name;
  const index = name && row.label.startsWith("[") ? row.label.slice(0, row.label.lastIndexOf("]") + 1) : "";
  return (
    <span className="min-w-8 truncate text-left" title={name && name !== row.path ? `${name}\n${row.path}` : row.path} dir="auto">
      {index && <span className="num text-muted">{index} </span>}
      {name || row.label}
    </span>
  );
}

/** A row in one sentence, for who cannot see it. */
export function describeRow({ path, step, sum }: PathRow, elapsed: number | null): string {
  const held = sum ? `, ${plural(sum.steps, "step")}${sum.failed > 0 ? `, ${count(sum.failed)} failed` : ""}` : "";
  if (!step) return `${path}${held}`;
  const attempts = step.attempts > 1 ? `, ${step.attempts} attempts` : "";
  return `${step.name || step.step_id}, ${kindLabel(step.node_type)}, ${statusWord(step.status)}, ${duration(elapsed)}${attempts}${held}`;
}
