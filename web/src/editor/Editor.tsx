import { messageOf } from "@/api/problem";
import { keys } from "@/api/queries";
import type { ProblemItem } from "@/api/types";
import { KindIcon, kindLabel } from "@/nodes/kind";
import { isTyping, useHotkeys } from "@/ui/hotkeys";
import { Pick } from "@/ui/pick";
import { Tabs } from "@/ui/tabs";
import { toast } from "@/ui/toast";
import { cx } from "@/ui/cx";
import { SkeletonRows } from "@/ui/feedback";
import { RunDialog } from "@/workflows/RunDialog";
import { useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { ChevronRight } from "lucide-react";
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useStore } from "zustand";
import { ActionsContext, makeActions, useActions } from "./actions";
import { Canvas } from "./Canvas";
import { ConflictDialog } from "./ConflictDialog";
import { ProblemsContext, useOffered } from "./context";
import { EditorHeader } from "./EditorHeader";
import { existingPath, levelAt, locate, nodePointer, refusals, type BodyPath, type GraphLevel } from "./graph";
import { Outline } from "./Outline";
import { Palette } from "./Palette";
import { EdgePanel, LevelPanel, SelectionPanel } from "./panel/OtherPanels";
import { NodePanel } from "./panel/NodePanel";
import { fromPointer, toPointer, within } from "./pointer";
import { ProblemsPanel } from "./ProblemsPanel";
import { EditorContext, written } from "./store";
import { useSession, type Loaded } from "./useSession";
import { Versions } from "./Versions";

const JsonPane = lazy(() => import("./json/JsonPane").then((module) => ({ default: module.JsonPane })));

const route = getRouteApi("/workflows/$id/edit");
const NONE: readonly ProblemItem[] = [];

export function Editor({ id, loaded }: { id: string; loaded: Loaded }) {
  const { store, saver, problems, warnings, save } = useSession(id, loaded);
  const offered = useOffered();
  const client = useQueryClient();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const document_ = useStore(store, (state) => state.document);
  const selection = useStore(store, (state) => state.selection);
  const edgeIndex = useStore(store, (state) => state.edge);
  const unreadable = useStore(store, (state) => state.unreadable);
  const [problemsOpen, setProblemsOpen] = useState(false);
  const [connecting, setConnecting] = useState<string | null>(null);
  const [name, setName] = useState(loaded.name);
  const [running, setRunning] = useState(false);
  const [deciding, setDeciding] = useState(true);
  const [publishing, setPublishing] = useState(false);
  const palette = useRef<HTMLInputElement>(null);
  const panel = useRef<HTMLElement>(null);
  const pane = search.pane ?? "step";

  const { body } = search;
  const path = useMemo<BodyPath>(() => existingPath(document_, body ? body.split(".") : []), [document_, body]);
  const pathName = path.join(".");
  const level = levelAt(document_, path);
  const chosen = selection.filter((key) => level.byKey.has(key));
  const node = chosen.length === 1 ? level.byKey.get(chosen[0] ?? "") : undefined;
  const edge = edgeIndex === null ? undefined : level.edges.find((each) => each.index === edgeIndex);

  const setPane = useCallback((next: "step" | "json" | "versions") => void navigate({ search: (old) => ({ ...old, pane: next === "step" ? undefined : next }), replace: true }), [navigate]);
  const go = useCallback((next: BodyPath) => void navigate({ search: (old) => ({ ...old, body: next.length > 0 ? next.join(".") : undefined, node: undefined }) }), [navigate]);
  const openStep = useCallback(
    (key: string) => {
      const now = levelAt(store.getState().document, path);
      const opened = now.byKey.get(key);
      if (!opened) return;
      store.select([key]);
      setPane("step");
      store.focusField(`${nodePointer(now, opened)}/config`);
    },
    [store, path, setPane],
  );
  const actions = useMemo(() => makeActions(store, pathName === "" ? [] : pathName.split("."), offered, { connectFrom: setConnecting, openStep, go }), [store, pathName, offered, openStep, go]);

  // The selection is in the address, so that a copied one shows the same step.
  const initial = useRef(search.node);
  const only = node?.key;
  useEffect(() => {
    // The step of the address is not selected yet.
    if (initial.current !== undefined) return;
    if (only !== search.node) void navigate({ search: (old) => ({ ...old, node: only }), replace: true });
    // Only when the selection changes: the address follows it, never the other way round.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [only]);
  useEffect(() => {
    if (initial.current !== undefined && store.getState().selection.length === 0) store.select([initial.current]);
    initial.current = undefined;
  }, [store]);

  const goTo = useCallback(
    (pointer: string, thenFocus: boolean) => {
      const segments = fromPointer(pointer);
      const { path: to, key, edge: at } = locate(store.getState().document, segments);
      if (to.join(".") !== pathName) go(to);
      if (key !== undefined) store.select([key]);
      else if (at !== undefined) store.selectEdge(at);
      else store.select([]);
      if (thenFocus) store.focusField(pointer);
    },
    [store, pathName, go],
  );

  // A field that is to get the focus: the one of the place, else the first below it, else the nearest around it.
  const focus = useStore(store, (state) => state.focus);
  useEffect(() => {
    if (!focus || pane !== "step") return;
    const timer = setTimeout(() => {
      const rows = [...(panel.current?.querySelectorAll<HTMLElement>("[data-pointer]") ?? [])];
      const at = (row: HTMLElement) => row.dataset.pointer ?? "";
      const { pointer } = focus;
      const row = rows.find((each) => at(each) === pointer) ?? rows.find((each) => within(at(each), pointer)) ?? rows.filter((each) => within(pointer, at(each))).sort((a, b) => at(b).length - at(a).length)[0];
      for (let around = row?.closest("details"); around; around = around.parentElement?.closest("details")) around.open = true;
      row?.querySelector<HTMLElement>("textarea, input, select, button:not([aria-label^='Clear'])")?.focus();
      row?.scrollIntoView({ block: "nearest" });
    });
    return () => clearTimeout(timer);
  }, [focus, pane]);

  const { undo, redo } = store;
  const copy = useCallback(() => {
    const text = actions.copy();
    if (text !== null) void navigator.clipboard?.writeText(text).then(() => toast("Copied.")).catch(() => toast("The browser does not allow copying here: press Ctrl C.", { tone: "bad" }));
  }, [actions]);
  useClipboard(actions);
  const remove = () => {
    const from = document.activeElement?.closest("[data-step]") ? "step" : document.activeElement?.closest("[data-outline]") ? "outline" : undefined;
    actions.remove();
    // The focus was on what is gone: it goes on to what is selected now.
    const next = store.getState().selection[0];
    if (from && next !== undefined) requestAnimationFrame(() => document.querySelector<HTMLElement>(`[data-${from}="${CSS.escape(next)}"]`)?.focus());
  };
  useHotkeys({
    "mod+z": (event) => (event.shiftKey ? redo() : undo()),
    "mod+y": () => redo(),
    "mod+s": () => void saver.flush(),
    "mod+a": (event) => (isTyping(event.target) ? false : store.select(level.nodes.map((each) => each.key))),
    "mod+enter": () => startRun(),
    "/": () => palette.current?.focus(),
    Delete: remove,
    Backspace: remove,
    Escape: () => store.select([]),
  });

  const invalid = unreadable || (problems !== null && problems.length > 0);
  const startRun = () => {
    if (invalid) setProblemsOpen(true);
    else setRunning(true);
  };
  const publish = async () => {
    setPublishing(true);
    try {
      const version = await saver.publish();
      await Promise.all([client.invalidateQueries({ queryKey: keys.workflow(id) }), client.invalidateQueries({ queryKey: keys.workflows })]);
      return version;
    } finally {
      setPublishing(false);
    }
  };
  const unpublished = saver.unpublished;

  return (
    <EditorContext value={store}>
      <ProblemsContext value={problems ?? NONE}>
        <ActionsContext value={actions}>
          <EditorHeader
            id={id}
            name={name}
            onRenamed={(next) => {
              setName(next);
              void client.invalidateQueries({ queryKey: keys.workflow(id) });
              void client.invalidateQueries({ queryKey: keys.workflows });
            }}
            saver={saver}
            save={save}
            unpublished={unpublished}
            publishing={publishing}
            problems={invalid ? Math.max(1, problems?.length ?? 0) : 0}
            onDecide={() => setDeciding(true)}
            onPublish={() => {
              if (invalid) return setProblemsOpen(true);
              publish().then(
                (version) => toast(`Version ${version} is published: runs start with it from now on.`),
                (error: unknown) => toast(messageOf(error), { tone: "bad" }),
              );
            }}
            onRun={startRun}
          />
          <div className="flex min-h-0 flex-1 flex-col overflow-y-auto md:flex-row md:overflow-hidden">
            <div className="flex max-h-[50vh] w-full shrink-0 flex-col border-line bg-panel md:max-h-none md:w-52 md:border-r">
              <Palette input={palette} />
              <Outline level={level} />
            </div>
            <div className="flex min-h-[320px] min-w-0 flex-1 flex-col">
              {path.length > 0 && <Breadcrumb path={path} name={name} onGo={go} />}
              <Canvas key={pathName} level={level} room={pane === "json" ? "little" : "much"} />
              <ProblemsPanel
                problems={problems}
                warnings={warnings}
                open={problemsOpen}
                onOpen={setProblemsOpen}
                onGo={(problem) => {
                  if (pane === "versions") setPane("step");
                  goTo(problem.pointer, true);
                }}
              />
            </div>
            <aside ref={panel} aria-label="Details" className={cx("flex w-full shrink-0 flex-col border-line bg-panel md:border-l", pane === "json" ? "min-h-[60vh] md:min-h-0 md:w-[min(480px,45%)]" : "md:w-80")}>
              <Tabs
                label="Details"
                value={pane}
                onChange={setPane}
                tabs={[
                  { value: "step", label: node ? "Step" : edge ? "Edge" : "Workflow" },
                  { value: "json", label: "JSON" },
                  { value: "versions", label: "Versions" },
                ]}
              >
                {pane === "json" ? (
                  <Suspense fallback={<SkeletonRows rows={10} height={18} label="Loading the JSON" />}>
                    <JsonPane shown={node && nodePointer(level, node)} onPlace={(pointer) => goTo(pointer, false)} />
                  </Suspense>
                ) : pane === "versions" ? (
                  <Versions workflow={id} current={saver.saved.version} unpublished={unpublished} />
                ) : (
                  <div className="min-h-0 flex-1 overflow-y-auto">
                    <fieldset disabled={unreadable} className="contents">
                      {unreadable && <p className="m-3 mb-0 rounded bg-bad-soft px-2 py-1 text-xs">The JSON has an error; this is the last document that could be read. Correct or discard the text in the JSON tab.</p>}
                      {node ? (
                        <NodePanel key={toPointer(path)} level={level} node={node} />
                      ) : edge ? (
                        <EdgePanel level={level} edge={edge} />
                      ) : chosen.length > 1 ? (
                        <SelectionPanel count={chosen.length} onCopy={copy} />
                      ) : (
                        <LevelPanel level={level} />
                      )}
                    </fieldset>
                  </div>
                )}
              </Tabs>
            </aside>
          </div>
          {connecting !== null && <ConnectDialog level={level} from={connecting} onClose={() => setConnecting(null)} />}
          {save.is === "conflict" && deciding && (
            <ConflictDialog
              conflict={{ ...save, mine: written(store.getState()) }}
              onClose={() => setDeciding(false)}
              onMine={() => {
                const mine = written(store.getState());
                // Theirs goes into the history, below mine.
                store.write(save.theirs.draft ?? save.theirs.published);
                store.write(mine);
                saver.resolve(mine);
              }}
              onTheirs={() => {
                const theirs = save.theirs.draft ?? save.theirs.published;
                store.write(theirs);
                saver.resolve(theirs);
              }}
            />
          )}
          {running && (
            <RunDialog
              workflow={id}
              document={document_}
              prepare={unpublished ? async () => void (await publish()) : undefined}
              note={unpublished ? `Your changes are published as version ${saver.saved.version + 1} first.` : undefined}
              onClose={() => setRunning(false)}
            />
          )}
        </ActionsContext>
      </ProblemsContext>
    </EditorContext>
  );
}

/** Which step is to follow? Those that cannot say why. */
function ConnectDialog({ level, from, onClose }: { level: GraphLevel; from: string; onClose: () => void }) {
  const actions = useActions();
  const id = level.byKey.get(from)?.id ?? "";
  const items = useMemo(() => {
    const refused = refusals(level, id);
    return level.nodes
      .filter((each) => each.key !== from)
      .map((each) => ({
        key: each.key,
        label: each.name,
        icon: <KindIcon type={each.type} className="shrink-0 text-muted" />,
        note: kindLabel(each.type),
        words: `${each.key} ${kindLabel(each.type)}`,
        refused: refused(each.id),
      }));
  }, [level, from, id]);
  return (
    <Pick
      title={`Connect “${level.byKey.get(from)?.name ?? from}” to`}
      items={items}
      onPick={(key) => actions.connect(id, level.byKey.get(key)?.id ?? "")}
      onClose={onClose}
    />
  );
}

function Breadcrumb({ path, name, onGo }: { path: BodyPath; name: string; onGo: (path: BodyPath) => void }) {
  return (
    <nav aria-label="Bodies" className="flex h-8 shrink-0 items-center gap-1 border-b border-line bg-panel px-3 text-xs">
      {[name, ...path].map((label, depth) => (
        <span key={depth} className="flex min-w-0 items-center gap-1">
          {depth > 0 && <ChevronRight size={12} className="text-muted" aria-hidden />}
          {depth === path.length ? (
            <span aria-current="location" className="truncate font-medium" dir="auto">
              {label}
            </span>
          ) : (
            <button type="button" dir="auto" className="truncate rounded text-accent hover:underline" onClick={() => onGo(path.slice(0, depth))}>
              {label}
            </button>
          )}
        </span>
      ))}
    </nav>
  );
}

/** Steps through the clipboard, by the browser's own copy and paste, which need no permission. */
function useClipboard(actions: ReturnType<typeof makeActions>) {
  useEffect(() => {
    const elsewhere = (event: Event) => isTyping(event.target) || (event.type !== "paste" && (getSelection()?.toString() ?? "") !== "");
    const onCopy = (event: ClipboardEvent) => {
      if (elsewhere(event)) return;
      const text = actions.copy();
      if (text === null) return;
      event.preventDefault();
      event.clipboardData?.setData("text/plain", text);
      if (event.type === "cut") actions.remove();
    };
    const onPaste = (event: ClipboardEvent) => {
      if (!elsewhere(event) && actions.paste(event.clipboardData?.getData("text/plain") ?? "")) event.preventDefault();
    };
    document.addEventListener("copy", onCopy);
    document.addEventListener("cut", onCopy);
    document.addEventListener("paste", onPaste);
    return () => {
      document.removeEventListener("copy", onCopy);
      document.removeEventListener("cut", onCopy);
      document.removeEventListener("paste", onPaste);
    };
  }, [actions]);
}
