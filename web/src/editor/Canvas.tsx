import "@xyflow/react/dist/style.css";
import { kindSummary } from "@/nodes/kind";
import { RuleEdgeView, ruleRows, type RuleEdge } from "@/nodes/graph/RuleEdge";
import { LARGE, MOST_EDGES, MOST_NODES, NODE_HEIGHT, NODE_WIDTH, READABLE, type Place } from "@/nodes/graph/shape";
import { useArranged } from "@/nodes/graph/useArranged";
import { Button } from "@/ui/button";
import { SkeletonRows } from "@/ui/feedback";
import { count } from "@/ui/format";
import { useTheme } from "@/ui/theme";
import {
  Background,
  Controls,
  MarkerType,
  MiniMap,
  ReactFlow,
  useConnection,
  useReactFlow,
  ViewportPortal,
  type Connection,
  type FinalConnectionState,
  type NodeChange,
} from "@xyflow/react";
import { memo, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { moveNodes } from "./edits";
import { around, bodyOf, edgePointer, nodePointer, refusal, type GraphLevel } from "./graph";
import { isObject, within } from "./pointer";
import { isPlaced, placesOf } from "./places";
import { NodeCard, type StepNode } from "./NodeCard";
import { nearestStep } from "./steer";
import { useEditor, useEditorStore } from "./store";
import { useActions } from "./actions";
import { useProblems } from "./context";

/** As much is drawn around one step where the whole is too much. */
const PART = { nodes: 300, edges: 900 };
const LARGE_ZOOM = 0.75;
/** The overview draws every step anew at each change; of more than this it would be a smear. */
const MOST_IN_OVERVIEW = 600;
const MOVE_BY = 16;
const FIT = { maxZoom: 1, padding: 0.2 };

const nodeTypes = { step: memo(NodeCard) };
const edgeTypes = { rule: memo(RuleEdgeView) };

/** `room` names how much there is: where it changes, the graph is fitted again. */
export function Canvas({ level, room }: { level: GraphLevel; room: string }) {
  const last = useEditor((state) => state.selection.at(-1));
  const [centre, setCentre] = useState(last);
  const whole = level.nodes.length <= MOST_NODES && level.edges.length <= MOST_EDGES;
  const part = useMemo(() => (whole ? level : around(level, centre, PART)), [whole, level, centre]);
  // Another part comes only where somebody goes off the edge of this one.
  if (!whole && last !== undefined && last !== centre && level.byKey.has(last) && !part.byKey.has(last)) setCentre(last);
  const structure = useMemo(
    () => (isPlaced(part) ? null : JSON.stringify({ nodes: part.nodes.map((node) => node.key), edges: part.edges.map(({ from, to, when }) => [from, to, when !== undefined]) })),
    [part],
  );
  const arranged = useArranged(structure, `${JSON.stringify(level.at)} ${whole ? "" : centre}`);
  const layout = useMemo(() => placesOf(part, arranged), [part, arranged]);
  if (!layout) return <SkeletonRows rows={6} height={28} label="Laying the graph out" />;
  return (
    <>
      {!whole && (
        <div role="status" className="flex shrink-0 items-center gap-2 border-b border-line bg-panel px-3 py-1 text-xs text-muted">
          <span className="min-w-0 flex-1">
            {count(part.nodes.length)} of {count(level.nodes.length)} steps are drawn, those around “{level.byKey.get(centre ?? "")?.name ?? part.nodes[0]?.name}”. The outline and the JSON have all of them.
          </span>
          {last !== undefined && last !== centre && <Button onClick={() => setCentre(last)}>Draw around the selected one</Button>}
        </div>
      )}
      <Flow key={whole ? "" : centre} whole={level} level={part} room={room} places={layout.places} right={layout.direction === "right"} />
    </>
  );
}

/** `level` is what is drawn, `whole` what it is a part of. Only the whole can be moved about. */
function Flow({ whole, level, room, places, right }: { whole: GraphLevel; level: GraphLevel; room: string; places: ReadonlyMap<string, Place>; right: boolean }) {
  const { dark } = useTheme();
  const store = useEditorStore();
  const actions = useActions();
  const flow = useReactFlow<StepNode>();
  const selection = useEditor((state) => state.selection);
  const edgeSelected = useEditor((state) => state.edge);
  const locked = useEditor((state) => state.unreadable);
  const movable = !locked && level === whole;
  const problems = useProblems();
  const [dragged, setDragged] = useState<ReadonlyMap<string, Place> | null>(null);
  const box = useRef<HTMLDivElement>(null);

  const focused = selection.at(-1);
  const tabbable = focused !== undefined && level.byKey.has(focused) ? focused : ((level.entry !== undefined && level.byKey.get(level.entry)?.key) || level.nodes[0]?.key);

  const [reuse] = useState(unchangedNodes);
  const nodes = useMemo(() => {
    const drawn = level.nodes.map((node): StepNode => {
      const pointer = nodePointer(level, node);
      const body = bodyOf(node.node);
      const data: StepNode["data"] = {
        name: node.name,
        type: node.type,
        summary: kindSummary(node.type, isObject(node.node.config) ? node.node.config : {}),
        entry: node.id === level.entry,
        problems: problems.reduce((sum, problem) => sum + (within(problem.pointer, pointer) ? 1 : 0), 0),
        inside: body && (Array.isArray(body.nodes) ? body.nodes.length : 0),
        right,
        tabbable: node.key === tabbable,
      };
      const position = dragged?.get(node.key) ?? places.get(node.key) ?? { x: 0, y: 0 };
      return { id: node.key, type: "step", position, data, selected: selection.includes(node.key), width: NODE_WIDTH, height: NODE_HEIGHT };
    });
    return reuse(drawn);
  }, [level, places, dragged, selection, problems, right, tabbable, reuse]);

  const edges = useMemo(() => {
    const keyOf = (id: string) => level.byKey.get(id)?.key;
    const rowOf = ruleRows();
    return level.edges.flatMap((edge): RuleEdge[] => {
      const [source, target] = [keyOf(edge.from), keyOf(edge.to)];
      if (source === undefined || target === undefined) return [];
      const wrong = problems.some((problem) => within(problem.pointer, edgePointer(level, edge)));
      const selected = edge.index === edgeSelected;
      const colour = wrong ? "var(--bad-fill)" : selected ? "var(--accent)" : "var(--line-strong)";
      return [
        {
          id: `${edge.index}:${source}:${target}`,
          type: "rule",
          source,
          target,
          selected,
          focusable: false,
          data: { when: edge.when, row: rowOf(edge.to, edge.when), index: edge.index, onPick: store.selectEdge },
          style: { stroke: colour, strokeWidth: selected ? 2 : 1 },
          interactionWidth: 16,
          markerEnd: { type: MarkerType.ArrowClosed, width: 14, height: 14, color: colour },
        },
      ];
    });
  }, [level, problems, edgeSelected, store]);

  const onNodesChange = useCallback(
    (changes: NodeChange<StepNode>[]) => {
      let chosen: Set<string> | undefined;
      let moved: Map<string, Place> | undefined;
      for (const change of changes) {
        if (change.type === "select") {
          chosen ??= new Set(store.getState().selection);
          if (change.selected) chosen.add(change.id);
          else chosen.delete(change.id);
        } else if (change.type === "position" && change.position && change.dragging) {
          moved ??= new Map();
          moved.set(change.id, change.position);
        }
      }
      if (chosen && !(chosen.size === 0 && store.getState().edge !== null)) store.select([...chosen]);
      if (moved) setDragged((old) => new Map([...(old ?? []), ...(moved ?? [])]));
    },
    [store],
  );

  const keep = useCallback(
    (moved: ReadonlyMap<string, Place>, about = "") => {
      // The first step that is placed by hand places all of them, or the others would jump.
      store.edit((document) => moveNodes(document, actions.path, new Map([...places, ...moved])), about);
    },
    [store, actions, places],
  );

  const focusStep = useCallback((key: string) => {
    const card = box.current?.querySelector<HTMLElement>(`[data-step="${CSS.escape(key)}"]`);
    card?.focus({ preventScroll: true });
    return card != null;
  }, []);
  const show = useCallback(
    (key: string) => {
      const place = places.get(key);
      if (!place || !box.current) return;
      const { x, y, zoom } = flow.getViewport();
      const { width, height } = box.current.getBoundingClientRect();
      const [left, top] = [(place.x + NODE_WIDTH / 2) * zoom + x, (place.y + NODE_HEIGHT / 2) * zoom + y];
      if (left < 0 || top < 0 || left > width || top > height) void flow.setCenter(place.x + NODE_WIDTH / 2, place.y + NODE_HEIGHT / 2, { zoom: Math.max(zoom, READABLE + 0.2) });
    },
    [flow, places],
  );

  // What is selected elsewhere (the outline, a problem, a new step) comes into view.
  const shown = useRef<string | undefined>(undefined);
  useEffect(() => {
    if (focused !== undefined && focused !== shown.current && selection.length === 1) show(focused);
    shown.current = focused;
  }, [focused, selection.length, show]);

  const fitted = useRef(room);
  useEffect(() => {
    if (fitted.current === room) return;
    fitted.current = room;
    if (level.nodes.length > LARGE) return;
    // After the canvas has learnt its new size.
    const timer = setTimeout(() => void flow.fitView(FIT), 60);
    return () => clearTimeout(timer);
  }, [room, level, flow]);

  // A step that comes into view has to be drawn before it can have the focus.
  const focusSoon = (key: string) => {
    let frames = 20;
    const attempt = () => {
      if (!focusStep(key) && frames-- > 0) requestAnimationFrame(attempt);
    };
    requestAnimationFrame(attempt);
  };

  const onKeyDown = (event: React.KeyboardEvent) => {
    const key = (event.target as Element).closest<HTMLElement>("[data-step]")?.dataset.step;
    if (key === undefined || event.ctrlKey || event.metaKey) return;
    const arrow = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key] as [number, number] | undefined;
    if (arrow && event.altKey) {
      if (!movable) return;
      const chosen = selection.includes(key) ? selection : [key];
      keep(new Map(chosen.map((each) => [each, { x: (places.get(each)?.x ?? 0) + arrow[0] * MOVE_BY, y: (places.get(each)?.y ?? 0) + arrow[1] * MOVE_BY }])), "move");
    } else if (arrow) {
      const next = nearestStep(places, key, arrow);
      if (next !== undefined) {
        store.select(event.shiftKey ? [...selection.filter((each) => each !== next), next] : [next]);
        focusSoon(next);
      }
    } else if (event.key === "Home" || event.key === "End") {
      const next = event.key === "Home" ? level.nodes[0]?.key : level.nodes.at(-1)?.key;
      if (next !== undefined) {
        store.select([next]);
        focusSoon(next);
      }
    } else if (event.key === "Enter") {
      store.select([key]);
      actions.openStep(key);
    } else if (event.key === " ") {
      store.select([key]);
    } else if (event.key === "c") {
      store.select([key]);
      actions.connectFrom(key);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const refused = useCallback(
    (connection: Connection | RuleEdge) => refusal(whole, level.byKey.get(connection.source)?.id ?? "", level.byKey.get(connection.target)?.id ?? ""),
    [level, whole],
  );
  const connectTo = (source: string, target: string) => {
    const [from, to] = [level.byKey.get(source)?.id, level.byKey.get(target)?.id];
    if (from !== undefined && to !== undefined) actions.connect(from, to);
  };

  const large = nodes.length > LARGE;
  const start = (key: string) => {
    const place = places.get(key);
    const room = box.current?.getBoundingClientRect();
    if (!place || !room) return;
    const [x, y] = [(place.x + NODE_WIDTH / 2) * LARGE_ZOOM, place.y * LARGE_ZOOM];
    void flow.setViewport({ x: (right ? NODE_WIDTH : room.width / 2) - x, y: (right ? room.height / 2 : 48) - y, zoom: LARGE_ZOOM });
  };
  return (
    <div
      ref={box}
      className="relative min-h-0 flex-1"
      role="group"
      aria-label="Canvas"
      aria-description="Arrow keys go from step to step, Enter edits one, C connects it, Alt with arrow keys moves it."
      onKeyDown={onKeyDown}
      onFocus={(event) => {
        const key = (event.target as Element).closest<HTMLElement>("[data-step]")?.dataset.step;
        if (key !== undefined && !store.getState().selection.includes(key) && (event.target as Element).matches(":focus-visible")) store.select([key]);
      }}
      onDragOver={(event) => {
        if (!event.dataTransfer.types.includes("application/x-flowtrace-step")) return;
        event.preventDefault();
        event.dataTransfer.dropEffect = "copy";
      }}
      onDrop={(event) => {
        const offer = event.dataTransfer.getData("application/x-flowtrace-step");
        if (!offer) return;
        event.preventDefault();
        const at = flow.screenToFlowPosition({ x: event.clientX, y: event.clientY });
        if (movable) actions.drop(offer, { x: at.x - NODE_WIDTH / 2, y: at.y - NODE_HEIGHT / 2 }, places);
        else actions.add(offer);
      }}
    >
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={nodeTypes}
        edgeTypes={edgeTypes}
        colorMode={dark ? "dark" : "light"}
        onNodesChange={onNodesChange}
        onNodeDragStop={(_event, _node, all) => {
          setDragged(null);
          keep(new Map(all.map((node) => [node.id, node.position])));
        }}
        onEdgeClick={(_event, edge) => store.selectEdge(edge.data?.index ?? null)}
        onPaneClick={() => store.select([])}
        onNodeDoubleClick={(_event, node) => actions.openStep(node.id)}
        onConnect={({ source, target }) => connectTo(source, target)}
        onConnectEnd={(event, state: FinalConnectionState) => {
          // A whole step is a target, not just the dot on it.
          if (state.isValid || !state.fromNode) return;
          const { clientX, clientY } = "changedTouches" in event ? (event.changedTouches[0] ?? { clientX: 0, clientY: 0 }) : event;
          const over = document.elementFromPoint(clientX, clientY)?.closest<HTMLElement>(".react-flow__node")?.dataset.id;
          if (over === undefined) return;
          if (state.fromHandle?.type === "target") connectTo(over, state.fromNode.id);
          else connectTo(state.fromNode.id, over);
        }}
        isValidConnection={(connection) => refused(connection) === null}
        connectionRadius={28}
        // A large graph at full fit is dust: it opens where the workflow starts, and the overview shows the rest.
        fitView={!large}
        fitViewOptions={FIT}
        onInit={() => large && tabbable !== undefined && start(tabbable)}
        minZoom={0.05}
        nodesFocusable={false}
        edgesFocusable={false}
        nodesDraggable={movable}
        nodesConnectable={!locked}
        disableKeyboardA11y
        deleteKeyCode={null}
        multiSelectionKeyCode={["Shift", "Meta", "Control"]}
        onlyRenderVisibleElements={large}
        proOptions={{ hideAttribution: true }}
      >
        <Background gap={16} color="var(--line)" />
        <Controls showInteractive={false} />
        {nodes.length > 12 && nodes.length <= MOST_IN_OVERVIEW && <MiniMap pannable zoomable style={{ width: 132, height: 96 }} ariaLabel="Overview" nodeColor={(node) => ((node as StepNode).data.problems > 0 ? "var(--bad-fill)" : "var(--line-strong)")} />}
        <ConnectionHint level={whole} />
      </ReactFlow>
    </div>
  );
}

/** A node that has not changed stays the same object, so that only what changed is drawn again. */
function unchangedNodes() {
  let last = new Map<string, StepNode>();
  return (nodes: readonly StepNode[]): StepNode[] => {
    const same = (node: StepNode, old: StepNode) =>
      old.selected === node.selected &&
      old.position.x === node.position.x &&
      old.position.y === node.position.y &&
      (Object.keys(node.data) as (keyof typeof node.data)[]).every((name) => node.data[name] === old.data[name]);
    const next = nodes.map((node) => {
      const old = last.get(node.id);
      return old && same(node, old) ? old : node;
    });
    last = new Map(next.map((node) => [node.id, node]));
    return next;
  };
}

/** Says, while an edge is drawn, where it would lead or why it cannot. */
function ConnectionHint({ level }: { level: GraphLevel }) {
  const { inProgress, fromNode, toNode, fromHandle, to } = useConnection();
  if (!inProgress || !fromNode || !toNode || !to) return null;
  const ends: [string, string] = fromHandle?.type === "target" ? [toNode.id, fromNode.id] : [fromNode.id, toNode.id];
  const [source, target] = ends.map((key) => level.byKey.get(key)?.id ?? key) as [string, string];
  const why = refusal(level, source, target);
  return (
    <ViewportPortal>
      <div
        role="status"
        className={`pointer-events-none absolute z-10 w-max max-w-[280px] rounded border bg-panel px-2 py-1 text-xs shadow-pop ${why ? "border-bad text-bad" : "border-line"}`}
        style={{ transform: `translate(${to.x + 16}px, ${to.y + 16}px)` }}
      >
        {why ?? `${source} → ${target}`}
      </div>
    </ViewportPortal>
  );
}
