import { KindIcon, kindLabel } from "@/nodes/kind";
import { cx } from "@/ui/cx";
import { CircleAlert, Play } from "lucide-react";
import { useEffect, useMemo, useRef } from "react";
import { useActions } from "./actions";
import { useProblems } from "./context";
import { inOrder, nodePointer, outgoing, type GraphLevel } from "./graph";
import { within } from "./pointer";
import { useEditor, useEditorStore } from "./store";

/** The steps as a list, in the order in which they can run: the canvas for those who cannot, or would rather not, see it. */
export function Outline({ level }: { level: GraphLevel }) {
  const store = useEditorStore();
  const actions = useActions();
  const selection = useEditor((state) => state.selection);
  const problems = useProblems();
  const nodes = useMemo(() => inOrder(level), [level]);
  const list = useRef<HTMLOListElement>(null);
  const last = selection.at(-1);
  const current = last !== undefined && level.byKey.has(last) ? last : nodes[0]?.key;

  useEffect(() => {
    if (last !== undefined) list.current?.querySelector(`[data-outline="${CSS.escape(last)}"]`)?.scrollIntoView({ block: "nearest" });
  }, [last]);

  const go = (key: string | undefined) => {
    if (key === undefined) return;
    store.select([key]);
    list.current?.querySelector<HTMLElement>(`[data-outline="${CSS.escape(key)}"]`)?.focus();
  };
  return (
    <nav aria-label="Outline" className="flex min-h-0 flex-1 flex-col">
      <h2 className="px-3 pt-2 pb-1 text-xs font-semibold text-muted">Outline</h2>
      <ol
        ref={list}
        aria-label="Steps"
        className="min-h-0 flex-1 overflow-y-auto px-1 pb-2"
        onKeyDown={(event) => {
          const at = nodes.findIndex((node) => node.key === current);
          const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: nodes.length - 1 }[event.key];
          if (event.key === "c" && current !== undefined && !event.ctrlKey && !event.metaKey) actions.connectFrom(current);
          else if (event.key === "Enter" && current !== undefined) actions.openStep(current);
          else if (to === undefined) return;
          else go(nodes[Math.max(0, Math.min(to, nodes.length - 1))]?.key);
          event.preventDefault();
        }}
      >
        {nodes.map((node) => {
          const wrong = problems.filter((problem) => within(problem.pointer, nodePointer(level, node))).length;
          const next = outgoing(level, node.id).map((edge) => edge.to);
          const chosen = selection.includes(node.key);
          return (
            <li key={node.key} className="[contain-intrinsic-size:auto_28px] [content-visibility:auto]">
              <button
                type="button"
                data-outline={node.key}
                tabIndex={node.key === current ? 0 : -1}
                aria-current={chosen ? "true" : undefined}
                aria-label={`${node.name}, ${kindLabel(node.type)}${node.id === level.entry ? ", starts the workflow" : ""}${next.length > 0 ? `, leads to ${next.join(", ")}` : ""}${wrong > 0 ? `, ${wrong} ${wrong === 1 ? "problem" : "problems"}` : ""}`}
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
    </nav>
  );
}
