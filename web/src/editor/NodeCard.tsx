import { READABLE } from "@/nodes/graph/shape";
import { KindIcon, kindLabel } from "@/nodes/kind";
import { cx } from "@/ui/cx";
import { Handle, Position, useStore, type Node, type NodeProps } from "@xyflow/react";
import { CircleAlert, Layers, Play } from "lucide-react";

export type StepNode = Node<
  {
    name: string;
    type: string;
    summary: string;
    entry: boolean;
    /** How many things are wrong with it, those in its body included. */
    problems: number;
    /** How many steps are in its body, if its kind has one. */
    inside: number | undefined;
    right: boolean;
    /** Whether it is the one that Tab leads to. */
    tabbable: boolean;
  },
  "step"
>;

const handle = "flow-handle !border-line-strong !bg-panel";

export function NodeCard({ id, data: { name, type, summary, entry, problems, inside, right, tabbable }, selected }: NodeProps<StepNode>) {
  const readable = useStore((store) => store.transform[2] >= READABLE);
  const label = `${name}, ${kindLabel(type)}${summary ? `, ${summary}` : ""}${entry ? ", starts the workflow" : ""}${problems > 0 ? `, ${problems} ${problems === 1 ? "problem" : "problems"}` : ""}`;
  return (
    <div
      role="button"
      aria-label={label}
      aria-pressed={selected}
      aria-roledescription="step"
      tabIndex={tabbable ? 0 : -1}
      data-step={id}
      title={readable ? undefined : name}
      className={cx(
        "flow-card h-full w-full rounded border",
        problems > 0 ? "border-bad-fill" : selected ? "border-accent" : "border-line-strong/70",
        selected && "ring-2 ring-accent",
        readable ? "flex items-center gap-2 bg-panel px-2.5 text-left text-sm" : problems > 0 ? "bg-bad-fill" : "bg-line-strong/60",
      )}
    >
      <Handle type="target" position={right ? Position.Left : Position.Top} className={handle} />
      <Handle type="source" position={right ? Position.Right : Position.Bottom} className={handle} />
      {readable && (
        <>
          <KindIcon type={type} size={16} className="shrink-0 text-muted" />
          <span className="flex min-w-0 flex-1 flex-col">
            <span className="truncate font-medium" dir="auto">
              {name}
            </span>
            <span className="truncate text-xs leading-4 text-muted" dir="auto">
              {summary || kindLabel(type)}
            </span>
          </span>
          {inside !== undefined && (
            <span className="num flex items-center gap-0.5 text-xs text-muted" title={`${inside} steps inside`}>
              <Layers size={12} aria-hidden />
              {inside}
            </span>
          )}
          {entry && (
            <span title="The workflow starts here" className="text-ok">
              <Play size={12} fill="currentColor" aria-hidden />
            </span>
          )}
          {problems > 0 && <CircleAlert size={14} className="shrink-0 text-bad" aria-hidden />}
        </>
      )}
    </div>
  );
}
