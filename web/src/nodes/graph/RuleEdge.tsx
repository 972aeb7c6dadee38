import { cx } from "@/ui/cx";
import { BaseEdge, EdgeLabelRenderer, getBezierPath, Position, useStore, type Edge, type EdgeProps } from "@xyflow/react";
import { NODE_WIDTH, READABLE } from "./shape";

export type RuleEdge = Edge<
  {
    /** The rule that has to hold. */
    when: string | undefined;
    /** The how-manieth rule it is of those that lead to the same node. */
    row: number;
    /** Its position in the document. */
    index: number;
    onPick?: (index: number) => void;
  },
  "rule"
>;

const ROW = 18;

/** How many rules lead to each node so far: each stands in a row of its own. */
export function ruleRows(): (to: string, when: string | undefined) => number {
  const rows = new Map<string, number>();
  return (to, when) => {
    if (when === undefined) return 0;
    const row = rows.get(to) ?? 0;
    rows.set(to, row + 1);
    return row;
  };
}

/**
 * An edge whose rule stands in front of the node that it leads to, never wider than the node: so that the rules of branches
 * that part do not stand on one another. All of it is said where it is chosen, and under the pointer.
 */
export function RuleEdgeView(props: EdgeProps<RuleEdge>) {
  const { sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition, data, selected, style, markerEnd, interactionWidth } = props;
  const [path] = getBezierPath({ sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition });
  const readable = useStore((store) => store.transform[2] >= READABLE);
  const { when, row = 0, index = 0, onPick } = data ?? {};
  const across = targetPosition === Position.Left;
  const place = across
    ? `translate(${targetX - 16}px, ${targetY + row * ROW}px) translate(-100%, -50%)`
    : `translate(${targetX}px, ${targetY - 12 - row * ROW}px) translate(-50%, -100%)`;
  return (
    <>
      <BaseEdge path={path} style={style} markerEnd={markerEnd} interactionWidth={interactionWidth} />
      {when !== undefined && readable && (
        <EdgeLabelRenderer>
          <div
            title={when}
            onClick={onPick && (() => onPick(index))}
            className={cx(
              "nopan absolute rounded-xs border border-transparent bg-bg px-1 font-mono text-[10.5px] leading-4 text-muted",
              selected ? "z-10 w-max max-w-[320px] border-accent text-text [overflow-wrap:anywhere]" : "truncate",
              onPick && "pointer-events-auto cursor-pointer hover:border-line-strong hover:text-text",
            )}
            style={{ transform: place, maxWidth: selected ? undefined : across ? 148 : NODE_WIDTH + 16 }}
          >
            {when}
          </div>
        </EdgeLabelRenderer>
      )}
    </>
  );
}
