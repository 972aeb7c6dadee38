import { writeJson } from "@/api/lossless";
import type { Place } from "@/nodes/graph/shape";
import { kindLabel } from "@/nodes/kind";
import { toast } from "@/ui/toast";
import { createContext, useContext } from "react";
import type { Offered } from "./context";
import { addNode, connect, copyNodes, disconnect, idsIn, moveNodes, newId, pasteNodes, placeOf, readClip, removeNodes, tidy } from "./edits";
import { isGraph, propertiesOf, requiredOf } from "./language";
import { inOrder, levelAt, outgoing, refusal, type BodyPath } from "./graph";
import { freePlace, isPlaced, placesOf } from "./places";
import { newStep, type Offer } from "./starter";
import type { EditorStore } from "./store";

/** What can be done to the level that is shown; the canvas, the outline, the palette and the keys do the same. */
export interface Actions {
  path: BodyPath;
  offers: Offer[];
  /** Adds a step after the selected one, and selects it. */
  add: (offer: string) => void;
  /** Adds a step at a place. */
  drop: (offer: string, at: Place, places: ReadonlyMap<string, Place>) => void;
  connect: (from: string, to: string) => void;
  disconnect: (index: number) => void;
  /** Asks which step is to follow. */
  connectFrom: (key: string) => void;
  openStep: (key: string) => void;
  openBody: (key: string) => void;
  remove: (keys?: readonly string[]) => void;
  /** The selected steps as text for the clipboard, if there are any. */
  copy: () => string | null;
  /** Whether the text held steps. */
  paste: (text: string) => boolean;
  tidy: () => void;
}

/** The kinds of the language, then the tools of this deployment. */
export function offersOf({ language, catalog }: Offered): Offer[] {
  const kinds = language.kinds.filter((kind) => kind.type !== "tool" || !catalog);
  return [
    ...kinds.map(({ type, description }) => ({ key: type, type, label: kindLabel(type), description })),
    ...(catalog?.tools ?? []).map((tool) => ({ key: `tool:${tool.name}`, type: "tool", label: tool.name, description: tool.description, tool: tool.name })),
  ];
}

export function makeActions(
  store: EditorStore,
  path: BodyPath,
  offered: Offered,
  page: { connectFrom: (key: string) => void; openStep: (key: string) => void; go: (path: BodyPath) => void },
): Actions {
  const level = () => levelAt(store.getState().document, path);
  const offers = offersOf(offered);

  const added = (key: string, after: string | undefined, at: ((id: string) => ReadonlyMap<string, Place>) | undefined) => {
    const offer = offers.find((each) => each.key === key);
    if (!offer || refuseWhileUnreadable(store)) return;
    const now = level();
    const taken = idsIn(store.getState().document);
    const id = newId(taken, offer.tool ?? offer.type);
    taken.add(id);
    const { language, catalog } = offered;
    store.edit((document) => {
      const next = addNode(document, path, { id, ...newStep(offer, language, catalog, after, (wanted) => newId(taken, wanted)) }, after);
      if (at) return moveNodes(next, path, at(id));
      if (!isPlaced(now)) return next;
      const there = levelAt(next, path);
      const places = new Map(now.nodes.flatMap((node) => (placeOf(node.node) ? [[node.key, placeOf(node.node) as Place] as const] : [])));
      return moveNodes(next, path, new Map([[id, freePlace(there, places, id, placesOf(now, null)?.direction ?? "down")]]));
    });
    store.select([id]);
  };

  return {
    path,
    offers,
    add: (offer) => {
      const selection = store.getState().selection.filter((key) => level().byKey.has(key));
      const only = selection.length === 1 ? level().byKey.get(selection[0] ?? "") : undefined;
      // With nothing selected: after the end of a plain chain, which is what most are.
      const now = level();
      const ends = now.nodes.filter((node) => outgoing(now, node.id).length === 0);
      const after = only ?? (selection.length === 0 && ends.length === 1 ? ends[0] : undefined);
      added(offer, after?.id, undefined);
    },
    drop: (offer, at, places) => added(offer, undefined, (id) => new Map([...places, [id, at]])),
    connect: (from, to) => {
      if (refuseWhileUnreadable(store)) return;
      const why = refusal(level(), from, to);
      if (why) toast(why, { tone: "bad" });
      else store.edit((document) => connect(document, path, from, to));
    },
    disconnect: (index) => {
      store.edit((document) => disconnect(document, path, index));
      if (store.getState().edge !== null) store.selectEdge(null);
    },
    connectFrom: page.connectFrom,
    openStep: page.openStep,
    openBody: (key) => {
      const node = level().byKey.get(key);
      if (!node) return;
      store.select([]);
      page.go([...path, key]);
    },
    remove: (keys = store.getState().selection) => {
      const { edge } = store.getState();
      if (refuseWhileUnreadable(store)) return;
      if (edge !== null) {
        store.edit((document) => disconnect(document, path, edge));
        store.selectEdge(null);
        return;
      }
      if (keys.length === 0) return;
      const order = inOrder(level()).map((node) => node.key);
      const at = order.findIndex((key) => keys.includes(key));
      store.edit((document) => removeNodes(document, path, keys));
      // The focus stays near where it was.
      const left = order.filter((key) => !keys.includes(key));
      const next = left[Math.max(0, Math.min(at, left.length) - 1)];
      store.select(next === undefined ? [] : [next]);
    },
    copy: () => {
      const clip = copyNodes(store.getState().document, path, store.getState().selection);
      return clip.nodes.length > 0 ? writeJson(clip, 2) : null;
    },
    paste: (text) => {
      const clip = readClip(text);
      if (!clip || refuseWhileUnreadable(store)) return false;
      let keys: string[] = [];
      store.edit((document) => {
        const pasted = pasteNodes(document, path, clip);
        keys = pasted.keys;
        return pasted.document;
      });
      store.select(keys);
      return true;
    },
    tidy: () => store.edit((document) => tidy(document, path)),
  };
}

function refuseWhileUnreadable(store: EditorStore): boolean {
  const { unreadable } = store.getState();
  if (unreadable) toast("The JSON has an error: correct it or discard the text, then the canvas can be changed again.", { tone: "bad" });
  return unreadable;
}

export const ActionsContext = createContext<Actions | null>(null);

export function useActions(): Actions {
  const actions = useContext(ActionsContext);
  if (!actions) throw new Error("The editor's parts stand inside an ActionsContext.");
  return actions;
}

/** Whether a kind of step has a graph of its own inside. */
export function hasBody(type: string, { language }: Offered): boolean {
  const config = language.kind(type)?.config ?? {};
  const body = propertiesOf(config).body;
  return body !== undefined && (requiredOf(config).has("body") || isGraph(language.resolve(body)));
}

