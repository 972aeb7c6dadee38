import { Button, IconButton } from "@/ui/button";
import { Combobox } from "@/ui/combobox";
import { Select } from "@/ui/field";
import { plural } from "@/ui/format";
import { ArrowRight, Copy, Trash2 } from "lucide-react";
import { useCallback, useMemo } from "react";
import { useActions } from "../actions";
import { useOffered } from "../context";
import { setValue } from "../edits";
import { Row } from "../fields/Row";
import { FormProvider, PropertyField, type FormContext } from "../fields/SchemaFields";
import type { GraphLevel, LevelEdge } from "../graph";
import { propertiesOf } from "../language";
import { toPointer, type Segments } from "../pointer";
import { useEditor, useEditorStore } from "../store";
import { Heading, useReadable, WhenField } from "./NodePanel";

export function EdgePanel({ level, edge }: { level: GraphLevel; edge: LevelEdge }) {
  const store = useEditorStore();
  const actions = useActions();
  const from = level.byKey.get(edge.from);
  const read = useReadable(from?.key ?? "", "when");
  const end = (id: string) => (
    <button type="button" dir="auto" className="min-w-0 truncate rounded font-medium hover:underline" onClick={() => store.select([level.byKey.get(id)?.key ?? id])}>
      {level.byKey.get(id)?.name ?? id}
    </button>
  );
  return (
    <div className="flex flex-col gap-3 p-3">
      <h2 className="sr-only">Edge</h2>
      <div className="flex items-center gap-2">
        {end(edge.from)}
        <ArrowRight size={14} className="shrink-0 text-muted" aria-label="leads to" />
        {end(edge.to)}
        <span className="ml-auto" />
        <IconButton label="Delete this edge" onClick={() => actions.disconnect(edge.index)}>
          <Trash2 size={14} aria-hidden />
        </IconButton>
      </div>
      <WhenField level={level} edge={edge} read={read} />
    </div>
  );
}

export function SelectionPanel({ count, onCopy }: { count: number; onCopy: () => void }) {
  const actions = useActions();
  return (
    <div className="flex flex-col gap-3 p-3">
      <h2 className="text-sm font-semibold">{plural(count, "step")} selected</h2>
      <div className="flex gap-2">
        <Button onClick={onCopy}>
          <Copy size={13} aria-hidden />
          Copy
        </Button>
        <Button variant="danger" onClick={() => actions.remove()}>
          <Trash2 size={13} aria-hidden />
          Delete
        </Button>
      </div>
    </div>
  );
}

/** More steps than this are found by typing. */
const LISTED = 200;

/** The name in the document is not the one that the workflow has here, which the header shows. */
const SHOWN_ELSEWHERE = new Set(["version", "entry", "nodes", "edges", "ui", "name"]);

/** What belongs to the whole workflow; on the level of a body, where the body starts. */
export function LevelPanel({ level }: { level: GraphLevel }) {
  const store = useEditorStore();
  const { language } = useOffered();
  const document = useEditor((state) => state.document);
  const set = useCallback((place: Segments, value: unknown, about: string) => store.edit((old) => setValue(old, place, value), about), [store]);
  const read = useReadable("", "config");
  const form = useMemo<FormContext>(() => ({ set, readable: read, openBody: () => undefined }), [set, read]);
  const top = level.at.length === 0;
  const names = Object.keys(propertiesOf(language.document)).filter((name) => !SHOWN_ELSEWHERE.has(name));
  const { entry } = level;
  return (
    <FormProvider value={form}>
      <div className="flex flex-col gap-3 p-3">
        <h2 className="text-sm font-semibold">{top ? "Workflow" : "Body"}</h2>
        <p className="-mt-2 text-xs text-muted">
          {plural(level.nodes.length, "step")}, {plural(level.edges.length, "edge")}. Select one to change it.
        </p>
        <Row label="Starts with" pointer={toPointer([...level.at, "entry"])} own>
          {(ids) => level.nodes.length > LISTED ? (
            <Combobox
              {...ids}
              aria-label="Starts with"
              value={entry ?? ""}
              choices={level.nodes.map((node) => ({ value: node.id, note: node.name === node.id ? undefined : node.name }))}
              onChange={(next) => set([...level.at, "entry"], next, toPointer([...level.at, "entry"]))}
            />
          ) : (
            <Select {...ids} value={entry ?? ""} onChange={(event) => set([...level.at, "entry"], event.target.value, "")}>
              {(entry === undefined || !level.byKey.has(entry)) && <option value={entry ?? ""}>{entry ? `${entry} (no such step)` : "Choose a step"}</option>}
              {level.nodes.map((node) => (
                <option key={node.key} value={node.id}>
                  {node.name === node.id ? node.id : `${node.name} (${node.id})`}
                </option>
              ))}
            </Select>
          )}
        </Row>
        {top && (
          <>
            <Heading>Settings</Heading>
            {names.map((name) => (
              <PropertyField key={name} name={name} schema={language.resolve(propertiesOf(language.document)[name])} value={document[name]} at={[name]} required={false} />
            ))}
          </>
        )}
      </div>
    </FormProvider>
  );
}
