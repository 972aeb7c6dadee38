import type { PathRow } from "./rows";

/** The name of the step, after the part of the path that tells it from its siblings. */
export function RowName({ row }: { row: PathRow }) {
  const name = row.step?.name;
  const index = name && row.label.startsWith("[") ? row.label.slice(0, row.label.lastIndexOf("]") + 1) : "";
  return (
    <span className="min-w-8 truncate" title={row.path}>
      {index && <span className="num text-muted">{index} </span>}
      {name || row.label}
    </span>
  );
}
