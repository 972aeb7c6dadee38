import { Button, buttonClass, IconButton } from "@/ui/button";
import { cx } from "@/ui/cx";
import { plural } from "@/ui/format";
import { PageHeader } from "@/ui/page";
import { Link } from "@tanstack/react-router";
import { Check, CircleAlert, LayoutGrid, ListTree, LoaderCircle, Pencil, Play, Redo2, Undo2 } from "lucide-react";
import { useState } from "react";
import { useStore } from "zustand";
import { useActions } from "./actions";
import { RenameDialog } from "./RenameDialog";
import type { Saver, SaveState } from "./saver";
import { useEditorStore } from "./store";

export function EditorHeader({
  id,
  name,
  saver,
  save,
  unpublished,
  publishing,
  problems,
  onRenamed,
  onDecide,
  onPublish,
  onRun,
}: {
  id: string;
  name: string;
  saver: Saver;
  save: SaveState;
  unpublished: boolean;
  publishing: boolean;
  /** How many stand in the way of running it. */
  problems: number;
  onRenamed: (name: string) => void;
  onDecide: () => void;
  onPublish: () => void;
  onRun: () => void;
}) {
  const [renaming, setRenaming] = useState(false);
  const store = useEditorStore();
  const actions = useActions();
  const canUndo = useStore(store.temporal, (state) => state.pastStates.length > 0);
  const canRedo = useStore(store.temporal, (state) => state.futureStates.length > 0);
  const why = problems > 0 ? `Fix ${plural(problems, "problem")} first` : undefined;
  return (
    <PageHeader
      title={name}
      beside={
        <IconButton label="Rename" onClick={() => setRenaming(true)}>
          <Pencil size={13} aria-hidden />
        </IconButton>
      }
    >
      {renaming && <RenameDialog name={name} saver={saver} onRenamed={onRenamed} onClose={() => setRenaming(false)} />}
      {/* First, so that nothing under the mouse moves when it comes. */}
      {why && (
        <span id="why-no-run" className="text-xs text-bad">
          {why}
        </span>
      )}
      <span className="num rounded border border-line px-1 text-xs text-muted" title="The version that runs start with">
        v{saver.saved.version}
      </span>
      <Saving save={save} saver={saver} unpublished={unpublished} onDecide={onDecide} />
      <span className="flex items-center">
        <IconButton label="Undo (Ctrl Z)" disabled={!canUndo} onClick={() => store.undo()}>
          <Undo2 size={15} aria-hidden />
        </IconButton>
        <IconButton label="Redo (Ctrl Shift Z)" disabled={!canRedo} onClick={() => store.redo()}>
          <Redo2 size={15} aria-hidden />
        </IconButton>
        <IconButton label="Tidy the layout" onClick={() => actions.tidy()}>
          <LayoutGrid size={15} aria-hidden />
        </IconButton>
      </span>
      <Link to="/runs" search={{ workflow: id }} className={buttonClass()}>
        <ListTree size={13} aria-hidden />
        Runs
      </Link>
      <Button onClick={onPublish} disabled={!unpublished || publishing || save.is === "conflict"} aria-disabled={why ? true : undefined} title={why ?? (unpublished ? "Make a version of this draft" : "There is nothing new to publish")} className={cx(why && "opacity-55")}>
        Publish
      </Button>
      <Button variant="primary" onClick={onRun} aria-disabled={why ? true : undefined} aria-describedby={why ? "why-no-run" : undefined} title={why} className={cx(why && "cursor-not-allowed opacity-55")}>
        <Play size={13} aria-hidden />
        Run
      </Button>
    </PageHeader>
  );
}

/** Whether what one sees is on the server. */
function Saving({ save, saver, unpublished, onDecide }: { save: SaveState; saver: Saver; unpublished: boolean; onDecide: () => void }) {
  const busy = save.is === "pending" || save.is === "saving";
  // No live region: it changes with every word. Only what needs somebody speaks up.
  return (
    <span role="group" aria-label="Saving" className="flex min-w-24 items-center gap-1 text-xs text-muted">
      {save.is === "failed" ? (
        <>
          <CircleAlert size={13} className="text-bad" aria-hidden />
          <span role="alert" className="text-bad" title={`${save.message} It is kept in this browser and tried again.`}>
            Not saved yet
          </span>
          <button type="button" className="rounded text-accent hover:underline" onClick={() => void saver.flush()}>
            Retry
          </button>
        </>
      ) : save.is === "conflict" ? (
        <>
          <CircleAlert size={13} className="text-warn" aria-hidden />
          <span role="alert">
            <button type="button" className="rounded text-warn hover:underline" onClick={onDecide}>
              Changed elsewhere: decide
            </button>
          </span>
        </>
      ) : (
        <>
          {busy ? <LoaderCircle size={13} aria-hidden /> : <Check size={13} className="text-ok" aria-hidden />}
          {busy ? "Saving…" : unpublished ? "Draft saved" : "Published"}
        </>
      )}
    </span>
  );
}
