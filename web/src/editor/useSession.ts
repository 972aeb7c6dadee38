import { writeJson } from "@/api/lossless";
import type { ProblemItem } from "@/api/types";
import { useEffect, useState, useSyncExternalStore } from "react";
import { Checker, readSaved, Saver } from "./saver";
import { createEditorStore, readText, written, type Edited } from "./store";

export type Loaded = Awaited<ReturnType<typeof readSaved>>;

/** A text as something to edit. Where it is no document, the version under it is what the canvas shows. */
function edited(text: string, saved: Loaded): Edited {
  const document = readText(text);
  if (document) return { document, source: writeJson(document, 2) === text ? null : text, unreadable: false };
  return { document: readText(saved.published) ?? {}, source: text, unreadable: true };
}

/** One workflow under edit: its document with its history, kept on the server and checked by it. */
export function useSession(id: string, loaded: Loaded) {
  const [{ store, saver }] = useState(() => {
    const saver = new Saver(id, loaded);
    const kept = saver.recall();
    const text = kept?.text ?? loaded.draft ?? loaded.published;
    if (kept && !kept.current) saver.disagree(kept.text);
    return { store: createEditorStore(edited(text, loaded)), saver };
  });
  const [problems, setProblems] = useState<ProblemItem[] | null>(null);
  const [warnings, setWarnings] = useState<ProblemItem[]>([]);

  useEffect(() => {
    const checker = new Checker((found, doubted) => {
      setProblems(found);
      setWarnings(doubted);
    });
    const text = written(store.getState());
    checker.check(text, 0);
    // What an earlier page could not save.
    saver.change(text);
    const unsubscribe = store.subscribe((state, before) => {
      if (state.document === before.document && state.source === before.source) return;
      const now = written(state);
      saver.change(now);
      checker.check(now);
    });
    const leave = () => saver.leave();
    // Back from another tab, which may have changed it. That is a step of undo as well.
    const look = () => {
      if (document.visibilityState !== "visible") return;
      void saver.refresh().then((theirs) => {
        if (theirs !== null) store.write(theirs);
      });
    };
    addEventListener("pagehide", leave);
    addEventListener("focus", look);
    document.addEventListener("visibilitychange", look);
    return () => {
      removeEventListener("pagehide", leave);
      removeEventListener("focus", look);
      document.removeEventListener("visibilitychange", look);
      unsubscribe();
      checker.close();
      leave();
    };
  }, [store, saver]);

  const save = useSyncExternalStore(saver.subscribe, saver.snapshot);
  return { store, saver, problems, warnings, save };
}
