import { parseJson, writeJson } from "@/api/lossless";
import { temporal } from "zundo";
import { createStore, type StoreApi } from "zustand/vanilla";
import { useStore } from "zustand";
import { createContext, useContext } from "react";
import type { Doc } from "./edits";
import { isObject } from "./pointer";

/** How many steps back there are. */
const HISTORY = 200;
/** Changes of one field that follow one another this fast are one step back. */
const TOGETHER_MS = 800;

export interface Edited {
  /** The last document that could be read; the canvas shows it. */
  document: Doc;
  /** The text as it was typed, while it is not what `document` would be written as. It may be no JSON. */
  source: string | null;
  /** Whether `source` is no document. */
  unreadable: boolean;
}

export interface EditorState extends Edited {
  /** Keys of the selected steps on the level that is shown. */
  selection: readonly string[];
  /** The position of the selected edge in its list. */
  edge: number | null;
  /** A field that is to get the focus, by its pointer; `turn` makes a second request of the same one another one. */
  focus: { pointer: string; turn: number } | null;
}

export type EditorStore = ReturnType<typeof createEditorStore>;

export function readText(text: string): Doc | null {
  try {
    const value = parseJson(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** The text that is saved, checked and shown. */
export const written = ({ document, source }: Pick<Edited, "document" | "source">): string => source ?? writeJson(document, 2);

export function createEditorStore(initial: Edited) {
  // What the last change was about; changes of the same thing in short order go into one step of the history.
  let last = { about: "", at: 0 };
  let together = false;

  const store = createStore<EditorState>()(
    temporal((): EditorState => ({ ...initial, selection: [], edge: null, focus: null }), {
      limit: HISTORY,
      partialize: ({ document, source, unreadable }) => ({ document, source, unreadable }),
      equality: (a, b) => a.document === b.document && a.source === b.source,
      handleSet: (record) => (past, replace, current, delta) => {
        // Its type says less than what it takes.
        if (!together) (record as (...all: unknown[]) => void)(past, replace, current, delta);
      },
    }),
  );
  const put = (next: Partial<EditorState>, about: string) => {
    const now = Date.now();
    together = about !== "" && about === last.about && now - last.at < TOGETHER_MS && store.temporal.getState().pastStates.length > 0;
    store.setState(next);
    together = false;
    last = { about, at: now };
  };

  return Object.assign(store as Pick<typeof store, keyof StoreApi<EditorState> | "temporal">, {
    /** Changes the document. `about` names what is changed, so that typing is undone by the word and not by the letter. */
    edit(change: (document: Doc) => Doc, about = "") {
      const { document, unreadable } = store.getState();
      // The text is not a document now: a change here would throw away what was typed there.
      if (unreadable) return;
      const next = change(document);
      if (next !== document) put({ document: next, source: null }, about);
    },
    /** Takes a whole text, from the JSON pane or from elsewhere. */
    write(text: string, about = "") {
      const read = readText(text);
      put(read ? { document: read, source: text, unreadable: false } : { source: text, unreadable: true }, about);
    },
    replace(document: Doc) {
      put({ document, source: null, unreadable: false }, "");
    },
    /** Gives up a text that is no document. */
    discardSource() {
      put({ source: null, unreadable: false }, "");
    },
    undo() {
      last = { about: "", at: 0 };
      store.temporal.getState().undo();
    },
    redo() {
      last = { about: "", at: 0 };
      store.temporal.getState().redo();
    },
    select(keys: readonly string[]) {
      const { selection, edge } = store.getState();
      if (edge === null && keys.length === selection.length && keys.every((key, index) => key === selection[index])) return;
      store.setState({ selection: keys, edge: null });
    },
    selectEdge(index: number | null) {
      store.setState({ selection: [], edge: index });
    },
    focusField(pointer: string) {
      store.setState({ focus: { pointer, turn: (store.getState().focus?.turn ?? 0) + 1 } });
    },
  });
}

export const EditorContext = createContext<EditorStore | null>(null);

export function useEditorStore(): EditorStore {
  const store = useContext(EditorContext);
  if (!store) throw new Error("The editor's parts stand inside an EditorContext.");
  return store;
}

export function useEditor<T>(pick: (state: EditorState) => T): T {
  return useStore(useEditorStore(), pick);
}
