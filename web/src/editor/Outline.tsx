import { KindIcon, kindLabel } from "@/nodes/kind";
import { cx } from "@/ui/cx";
import { CircleAlert, Play } from "lucide-react";
import { useVirtualRows } from "@/ui/virtual";
import { useEffect, useMemo, useRef } from "react";
import { useActions } from "./actions";
import { useProblems } from "./context";
import { inOrder, nodePointer, outgoing, type GraphLevel } from "./graph";
import { within } from "./pointer";
import { useEditor, useEditorStore } from "./store";

const ROW = 28;
/** A list as short as this exists as a whole. */
const FEW = 200;

/** The steps as a list, in the order in which they can run: the canvas for those who cannot, or would rather not, see it. */
export function Outline({ level }: { level: GraphLevel }) {
  const store = useEditorStore();
  const actions = useActions();
  const selection = useEditor((state) => state.selection);
  const problems = useProblems();
  const nodes = useMemo(() => inOrder(level), [level]);
  const scroll = useRef<HTMLDivElement>(null);
  const last = selection.at(-1);
  const current = last !== undefined && level.byKey.has(last) ? last : nodes[0]?.key;

  const positions = useMemo(() => new Map(nodes.map((node, at) => [node.key, at])), [nodes]);
  const at = current === undefined ? -1 : (positions.get(current) ?? -1);
  const { virtual, focusRow } = useVirtualRows({ count: nodes.length, height: ROW, scroll, active: at, overscan: nodes.length <= FEW ? FEW : undefined });

  const shown = last === undefined ? -1 : (positions.get(last) ?? -1);
  useEffect(() => {
    if (shown >= 0) virtual.scrollToIndex(shown, { align: "auto" });
  }, [shown, virtual]);

  const go = (to: number) => {
    const key = nodes[to]?.key;
    if (key === undefined) return;
    store.select([key]);
    focusRow(to);
  };
  return (
    <nav aria-label="Outline" className="flex min-h-0 flex-1 flex-col">
      <h2 className="px-3 pt-2 pb-1 text-xs font-semibold text-muted">Outline</h2>
      <div ref={scroll} className="min-h-0 flex-1 overflow-y-auto px-1 pb-2" tabIndex={-1}>
        <ol
          aria-label="Steps"
          className="relative"
          style={{ height: virtual.getTotalSize() }}
          onKeyDown={(event) => {
            const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: nodes.length - 1 }[event.key];
            if (event.key === "c" && current !== undefined && !event.ctrlKey && !event.metaKey) actions.connectFrom(current);
            else if (event.key === "Enter" && current !== undefined) actions.openStep(current);
            else if (to === undefined) return;
            else go(Math.max(0, Math.min(to, nodes.length - 1)));
            event.preventDefault();
          }}
        >
          {virtual.getVirtualItems().map(({ index, start }) => {
            const node = nodes[index];
            if (!node) return null;
            const wrong = problems.filter((problem) => within(problem.pointer, nodePointer(level, node))).length;
            const next = outgoing(level, node.id).map((edge) => edge.to);
            const chosen = selection.includes(node.key);
            return (
              <li key={node.key} data-row={index} aria-setsize={nodes.length} aria-posinset={index + 1} className="absolute inset-x-0" style={{ top: start, height: ROW }}>
                <button
                  type="button"
                  data-outline={node.key}
                  tabIndex={node.key === current ? 0 : -1}
                  aria-current={chosen ? "true" : undefined}
                  aria-label={`${node.name}, ${kindLabel(node.type)}${node.id === level.entry ? ", starts the workflow" : ""}${next.length > 0 ? `, leads to ${next.length > 5 ? `${next.slice(0, 5).join(", ")} and ${next.length - 5} more` : next.join(", ")}` : ""}${wrong > 0 ? `, ${wrong} ${wrong === 1 ? "problem" : "problems"}` : ""}`}
                  onClick={(event) =>
                    store.select(event.shiftKey || event.ctrlKey || event.metaKey ? (chosen ? selection.filter((key) => key !== node.key) : [...selection, node.key]) : [node.key])
                  }
                  onDoubleClick={() => actions.openStep(node.key)}
                  className={cx("flex h-7 w-full items-center gap-2 rounded px-2 text-left hover:bg-hover", chosen && "bg-selected")}
                >
                  <KindIcon type={node.type} className="shrink-0 text-muted" />
                  <span className="min-w-0 flex-1 truncate" dir="auto">
                    {node.name}
                  </span>
                  {node.id === level.entry && <Play size={11} fill="currentColor" className="shrink-0 text-ok" aria-hidden />}
                  {wrong > 0 && <CircleAlert size={13} className="shrink-0 text-bad" aria-hidden />}
                </button>
              </li>
            );
          })}
          {nodes.length === 0 && <li className="px-2 py-1 text-xs text-muted">No steps yet. Press / and add one.</li>}
        </ol>
      </div>
    </nav>
  );
}
