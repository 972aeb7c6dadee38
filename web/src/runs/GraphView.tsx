import "@xyflow/react/dist/style.css";
import { messageOf } from "@/api/problem";
import { runGraphQuery } from "@/api/queries";
import type { Run, Step } from "@/api/types";
import { RuleEdgeView, ruleRows, type RuleEdge } from "@/nodes/graph/RuleEdge";
import { LARGE, MOST_EDGES, MOST_NODES, NODE_HEIGHT, NODE_WIDTH, READABLE } from "@/nodes/graph/shape";
import { useArranged } from "@/nodes/graph/useArranged";
import { KindIcon, kindLabel } from "@/nodes/kind";
import { buttonClass } from "@/ui/button";
import { cx } from "@/ui/cx";
import { EmptyState, ErrorBanner, SkeletonRows } from "@/ui/feedback";
import { count, duration, plural, usd } from "@/ui/format";
import { Status, statusFill, statusWord } from "@/ui/status";
import { useTheme } from "@/ui/theme";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Background, Controls, Handle, MarkerType, MiniMap, Position, ReactFlow, useStore, type Node, type NodeProps } from "@xyflow/react";
import { memo, useMemo } from "react";
import { ancestors } from "./rows";
import type { ViewProps } from "./useRows";
import type { RunData } from "./useRun";

type StepNode = Node<{ id: string; name: string; type: string; step: Step | undefined; inside: Inside | undefined; selected: boolean; right: boolean }, "step">;
const nodeTypes = { step: memo(StepNodeView) };
const edgeTypes = { rule: memo(RuleEdgeView) };

/** The workflow of the run, with what became of each step. */
export function GraphView({ data, run, selected, onSelect }: ViewProps & { data: RunData; run: Run }) {
  const { dark } = useTheme();
  const document = useQuery(runGraphQuery(run.id));
  const graph = document.data;
  const tooLarge = graph !== undefined && (graph.nodes.length > MOST_NODES || graph.edges.length > MOST_EDGES);
  const structure = useMemo(
    () => (!graph || tooLarge ? null : JSON.stringify({ nodes: graph.nodes.map((node) => node.id), edges: graph.edges.map(({ from, to, when }) => [from, to, when !== undefined]) })),
    [graph, tooLarge],
  );
  const layout = useArranged(structure, run.id);

  const { nodes, edges } = useMemo(() => {
    if (!graph || !layout) return { nodes: [], edges: [] };
    const steps = new Map(data.steps.map((step) => [step.step_id, step]));
    const inside = countInside(data.steps);
    const places = new Map(layout.places);
    const rowOf = ruleRows();
    const nodes = graph.nodes.map((node): StepNode => ({
      id: node.id,
      type: "step",
      position: places.get(node.id) ?? { x: 0, y: 0 },
      data: { id: node.id, name: node.name || node.id, type: node.type, step: steps.get(node.id), inside: inside.get(node.id), selected: node.id === selected, right: layout.direction === "right" },
      width: NODE_WIDTH,
      height: NODE_HEIGHT,
      draggable: false,
      connectable: false,
      ariaLabel: `${node.name || node.id}, ${kindLabel(node.type)}, ${statusOf(steps.get(node.id))}`,
    }));
    const edges = graph.edges.map((edge, index): RuleEdge => {
      const to = steps.get(edge.to);
      const taken = steps.get(edge.from)?.status === "succeeded" && to !== undefined && to.status !== "skipped";
      return {
        id: String(index),
        type: "rule",
        source: edge.from,
        target: edge.to,
        data: { when: edge.when, row: rowOf(edge.to, edge.when), index },
        animated: to?.status === "running",
        focusable: false,
        className: taken ? "flow-taken" : steps.size > 0 ? "flow-not-taken" : undefined,
        markerEnd: { type: MarkerType.ArrowClosed, width: 14, height: 14, color: taken ? "var(--line-strong)" : "var(--line)" },
      };
    });
    return { nodes, edges };
  }, [graph, layout, data.steps, selected]);

  const large = nodes.length > LARGE;
  const focus = selected ?? run.failed_step ?? graph?.entry ?? nodes[0]?.id ?? "";
  if (document.error) return <ErrorBanner message={messageOf(document.error)} onRetry={() => void document.refetch()} />;
  if (tooLarge) {
    return (
      <EmptyState
        title="Too large to draw"
        action={
          <Link to="." search={(old) => ({ ...old, view: "tree" })} className={buttonClass("primary")}>
            Open the tree
          </Link>
        }
      >
        {plural(graph.nodes.length, "node")} and {plural(graph.edges.length, "edge")}: more than {count(MOST_NODES)} nodes or {count(MOST_EDGES)} edges cannot be read as a drawing.
      </EmptyState>
    );
  }
  if (!graph || !layout) return <SkeletonRows rows={6} height={28} label="Loading the graph" />;
  return (
    <div
      className="min-h-0 flex-1"
      aria-label="Graph"
      role="group"
      onKeyDown={(event) => {
        const id = event.key === "Enter" && (event.target as Element).closest<HTMLElement>(".react-flow__node")?.dataset.id;
        if (id && data.steps.some((step) => step.step_id === id)) onSelect(id);
      }}
    >
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={nodeTypes}
        edgeTypes={edgeTypes}
        colorMode={dark ? "dark" : "light"}
        fitView
        // A large graph at full fit is dust: it opens on what matters, and the overview shows the rest.
        fitViewOptions={{ maxZoom: 1, padding: 0.15, ...(large && { minZoom: READABLE, maxZoom: 0.75, nodes: [{ id: focus }] }) }}
        minZoom={0.05}
        nodesDraggable={false}
        nodesConnectable={false}
        edgesFocusable={false}
        onlyRenderVisibleElements
        onNodeClick={(_event, node) => node.data.step && onSelect(node.id)}
        proOptions={{ hideAttribution: true }}
      >
        <Background gap={16} color="var(--line)" />
        <Controls showInteractive={false} />
        {nodes.length > 12 && <MiniMap pannable zoomable ariaLabel="Overview" nodeColor={(node) => minimapColour((node as StepNode).data.step)} />}
      </ReactFlow>
    </div>
  );
}

/** Steps inside of a node: items of a map, turns of a loop. */
interface Inside {
  steps: number;
  ended: number;
  failed: number;
}

function countInside(steps: readonly Step[]): Map<string, Inside> {
  const inside = new Map<string, Inside>();
  for (const step of steps) {
    const outermost = ancestors(step.step_id)[0];
    if (outermost === undefined) continue;
    const sum = inside.get(outermost) ?? { steps: 0, ended: 0, failed: 0 };
    sum.steps += 1;
    if (step.finished_at) sum.ended += 1;
    if (step.status === "failed") sum.failed += 1;
    inside.set(outermost, sum);
  }
  return inside;
}

const handle = "!size-1.5 !min-h-0 !min-w-0 !border-0 !bg-line-strong";

const statusOf = (step: Step | undefined) => (step ? statusWord(step.status) : "not reached");

function minimapColour(step: Step | undefined): string {
  const token = { succeeded: "ok", failed: "bad", running: "run", waiting: "warn", skipped: "idle", canceled: "idle" }[step?.status ?? "skipped"];
  return step ? `var(--${token}-fill)` : "var(--line)";
}

function StepNodeView({ data: { name, type, step, inside, selected, right } }: NodeProps<StepNode>) {
  const readable = useStore((store) => store.transform[2] >= READABLE);
  const running = step?.status === "running";
  const handles = (
    <>
      <Handle type="target" position={right ? Position.Left : Position.Top} isConnectable={false} className={handle} />
      <Handle type="source" position={right ? Position.Right : Position.Bottom} isConnectable={false} className={handle} />
    </>
  );
  if (!readable) {
    return (
      <div className={cx("h-full w-full rounded", step ? statusFill(step.status) : "bg-line", selected && "ring-4 ring-accent")} title={name}>
        {handles}
      </div>
    );
  }
  return (
    <div
      className={cx(
        "flex h-full w-full flex-col justify-center rounded border bg-panel px-2.5 text-left text-sm",
        selected ? "border-accent ring-1 ring-accent" : running ? "border-run-fill" : step?.status === "failed" ? "border-bad-fill" : "border-line-strong/70",
        (!step || step.status === "skipped") && "border-dashed text-muted",
        step && "cursor-pointer",
      )}
    >
      {handles}
      <span className="flex items-center gap-1.5">
        <KindIcon type={type} className="shrink-0 text-muted" />
        <span className="min-w-0 flex-1 truncate font-medium">{name}</span>
        {step && <Status status={step.status} compact />}
      </span>
      <span className="num flex gap-2 text-xs text-muted">
        {!step ? (
          "not reached"
        ) : step.status === "skipped" ? (
          "skipped"
        ) : (
          <>
            <span>{step.latency_ms == null ? statusWord(step.status) : duration(step.latency_ms)}</span>
            {step.tokens_input != null && <span>{count(step.tokens_input + (step.tokens_output ?? 0))} tok</span>}
            {step.cost_nanousd != null && <span>{usd(step.cost_nanousd)}</span>}
            {step.attempts > 1 && <span className="text-warn">×{step.attempts}</span>}
            {step.cached && <span className="text-cache">cached</span>}
            {inside && (
              <span title={`${plural(inside.steps, "step")} inside, ${count(inside.ended)} ended, ${count(inside.failed)} failed`}>
                {count(inside.ended)}/{count(inside.steps)}
                {inside.failed > 0 && <span className="text-bad"> ✕{count(inside.failed)}</span>}
              </span>
            )}
          </>
        )}
      </span>
    </div>
  );
}
