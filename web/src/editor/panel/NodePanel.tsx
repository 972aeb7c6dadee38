import { KindIcon } from "@/nodes/kind";
import { Button, IconButton } from "@/ui/button";
import { Input, Select } from "@/ui/field";
import { Words } from "@/ui/words";
import { ArrowRight, Layers, Play, Plus, Trash2, X } from "lucide-react";
import { useCallback, useMemo, useState } from "react";
import { hasBody, useActions } from "../actions";
import { useOffered } from "../context";
import { idsIn, renameNode, setValue } from "../edits";
import { CodeField } from "../fields/CodeField";
import { Row } from "../fields/Row";
import { FormProvider, More, PropertyField, SchemaFields, type FormContext } from "../fields/SchemaFields";
import { bodyOf, edgePointer, nodeAt, outgoing, type GraphLevel, type LevelNode } from "../graph";
import { propertiesOf } from "../language";
import { isObject, toPointer, type Segments } from "../pointer";
import { useEditorStore } from "../store";
import { readable } from "../suggest";

/** Properties of the kinds that are worth a place at the top. */
const FIRST: Record<string, string[]> = { llm: ["prompt", "system"], agent: ["instructions", "prompt", "tools"], router: ["rule"], gate: ["check"], wait: ["seconds", "until", "signal"] };
/** A value of any form, by name. */
const INPUTS = { type: "object", additionalProperties: true, description: "A value, with bindings such as `{{node.fetch.output}}`. A text that is one binding keeps the type of its value." };
/** What every step has is further down, in a form of its own. */
const NODE_PROPERTIES = new Set(["id", "type", "name", "config", "inputs", "ui"]);

export function NodePanel({ level, node }: { level: GraphLevel; node: LevelNode }) {
  const store = useEditorStore();
  const actions = useActions();
  const offered = useOffered();
  const { language, catalog } = offered;
  const at = nodeAt(level, node);
  const kind = language.kind(node.type);
  const config = isObject(node.node.config) ? node.node.config : {};
  const { key } = node;

  const set = useCallback((place: Segments, value: unknown, about: string) => store.edit((document) => setValue(document, place, value), about), [store]);
  // Read when it is needed: by a completion, or when a text is drawn.
  const inConfig = useReadable(key, "config");
  const inInputs = useReadable(key, "inputs");
  const form = useMemo<FormContext>(() => ({ set, readable: inConfig, openBody: () => actions.openBody(key) }), [set, inConfig, actions, key]);

  const inputs = useMemo<FormContext>(() => ({ ...form, readable: inInputs }), [form, inInputs]);

  const tool = catalog?.tools.find((each) => each.name === (config.tool ?? (config.url === undefined ? undefined : "http")));
  const common = Object.keys(propertiesOf(language.node)).filter((name) => !NODE_PROPERTIES.has(name));
  const opensBody = bodyOf(node.node) !== undefined || hasBody(node.type, offered);
  return (
    <FormProvider value={form}>
      <div className="flex flex-col gap-3 p-3">
        <div className="flex items-center gap-2">
          <KindIcon type={node.type} size={16} className="text-muted" />
          <h2 className="min-w-0 flex-1 truncate text-sm font-semibold" dir="auto">
            {node.name}
          </h2>
          {node.id === level.entry ? (
            <span className="flex items-center gap-1 text-xs text-ok">
              <Play size={11} fill="currentColor" aria-hidden />
              starts here
            </span>
          ) : (
            <IconButton label="Start the workflow here" onClick={() => set([...level.at, "entry"], node.id, "")}>
              <Play size={14} aria-hidden />
            </IconButton>
          )}
          <IconButton label="Delete this step" onClick={() => actions.remove([key])}>
            <Trash2 size={14} aria-hidden />
          </IconButton>
        </div>
        {kind?.description && (
          <p className="-mt-2 text-xs text-muted">
            <Words text={kind.description} />
          </p>
        )}
        <div className="grid grid-cols-2 gap-2">
          <Row label="Name" pointer={toPointer([...at, "name"])}>
            {(ids) => (
              <Input
                {...ids}
                dir="auto"
                placeholder={node.id}
                value={typeof node.node.name === "string" ? node.node.name : ""}
                onChange={(event) => set([...at, "name"], event.target.value === "" ? undefined : event.target.value, toPointer([...at, "name"]))}
              />
            )}
          </Row>
          <IdField key={key} level={level} node={node} />
        </div>
        {opensBody && (
          <Button className="w-fit" onClick={() => actions.openBody(key)}>
            <Layers size={14} aria-hidden />
            Open the body
          </Button>
        )}
        {node.type === "tool" ? (
          <>
            <Row label="Tool" pointer={toPointer([...at, "config", "tool"])} hint={tool?.description}>
              {(ids) => (
                <Select {...ids} value={tool?.name ?? String(config.tool ?? "")} onChange={(event) => set([...at, "config", "tool"], event.target.value, "")}>
                  {!tool && <option value={String(config.tool ?? "")}>{config.tool === undefined ? "Choose one" : `${String(config.tool)} (unknown)`}</option>}
                  {catalog?.tools.map((each) => (
                    <option key={each.name}>{each.name}</option>
                  ))}
                </Select>
              )}
            </Row>
            <SchemaFields key={`${key} ${tool?.name}`} schema={language.resolve(tool?.config_schema)} value={config} at={[...at, "config"]} skip={["tool"]} />
          </>
        ) : (
          <SchemaFields key={key} schema={kind?.config ?? {}} value={config} at={[...at, "config"]} first={FIRST[node.type]} skip={opensBody ? ["body"] : []} />
        )}
        <Heading>Inputs</Heading>
        <FormProvider value={inputs}>
          <PropertyField name="inputs" label="Values by name" schema={INPUTS} value={node.node.inputs} at={[...at, "inputs"]} required={false} />
        </FormProvider>
        <Heading>What follows</Heading>
        <Followers level={level} node={node} />
        <More key={`common ${key}`} label="Retries and time limit" open={common.some((name) => node.node[name] !== undefined && node.node[name] !== null)}>
          {common.map((name) => (
            <PropertyField key={name} name={name} schema={language.resolve(propertiesOf(language.node)[name])} value={node.node[name]} at={[...at, name]} required={false} />
          ))}
        </More>
      </div>
    </FormProvider>
  );
}

export function Heading({ children }: { children: string }) {
  return <h3 className="mt-1 border-t border-line pt-3 text-xs font-semibold">{children}</h3>;
}

/** The id. It changes when it is left, with everything that names it; a taken one is not taken. */
function IdField({ level, node }: { level: GraphLevel; node: LevelNode }) {
  const store = useEditorStore();
  const { path } = useActions();
  const [typed, setTyped] = useState<string | null>(null);
  const taken = typed !== null && typed !== node.id && idsIn(store.getState().document).has(typed);
  const commit = () => {
    if (typed !== null && typed !== "" && typed !== node.id && !taken) {
      store.edit((document) => renameNode(document, path, node.key, typed));
      store.select([typed]);
    }
    setTyped(null);
  };
  return (
    <Row label="Id" pointer={toPointer([...nodeAt(level, node), "id"])} hint="Bindings and rules name the step by it; they follow when it changes.">
      {(ids) => (
        <>
          <Input
            {...ids}
            className="font-mono"
            spellCheck={false}
            aria-invalid={taken || ids["aria-invalid"]}
            value={typed ?? node.id}
            onChange={(event) => setTyped(event.target.value)}
            onBlur={commit}
            onKeyDown={(event) => {
              if (event.key === "Enter") commit();
              if (event.key === "Escape") setTyped(null);
            }}
          />
          {taken && <p className="text-xs text-bad">Another step has this id.</p>}
        </>
      )}
    </Row>
  );
}

function Followers({ level, node }: { level: GraphLevel; node: LevelNode }) {
  const store = useEditorStore();
  const actions = useActions();
  const inWhen = useReadable(node.key, "when");
  const edges = outgoing(level, node.id);
  return (
    <section aria-label="What follows" className="flex flex-col gap-2">
      {edges.map((edge) => (
        <div key={edge.index} className="flex flex-col gap-1">
          <div className="flex items-center gap-1">
            <ArrowRight size={13} className="text-muted" aria-hidden />
            <button type="button" className="min-w-0 truncate rounded text-left hover:underline" dir="auto" onClick={() => store.select([level.byKey.get(edge.to)?.key ?? edge.to])}>
              {level.byKey.get(edge.to)?.name ?? `${edge.to} (no such step)`}
            </button>
            <span className="ml-auto" />
            <IconButton label={`Remove the edge to ${edge.to}`} onClick={() => actions.disconnect(edge.index)}>
              <X size={13} aria-hidden />
            </IconButton>
          </div>
          <WhenField level={level} edge={edge} label={`When (to ${edge.to})`} read={inWhen} />
        </div>
      ))}
      {edges.length === 0 && <p className="text-xs text-muted">Nothing: its output is a result of the workflow.</p>}
      <Button className="w-fit" onClick={() => actions.connectFrom(node.key)}>
        <Plus size={13} aria-hidden />
        Connect to…
      </Button>
    </section>
  );
}

export function WhenField({ level, edge, label = "When", read }: { level: GraphLevel; edge: GraphLevel["edges"][number]; label?: string; read: ReturnType<typeof useReadable> }) {
  const store = useEditorStore();
  const pointer = edgePointer(level, edge);
  const at = [...level.at, "edges", edge.index, "when"];
  return (
    <Row label={label} pointer={pointer} hint="An expression that is true where the edge is taken, such as branch == 'deep'. Without one it always is.">
      {(ids) => (
        <CodeField
          ids={ids}
          pointer={pointer}
          value={edge.when ?? ""}
          placeholder="always"
          onChange={(text) => store.edit((document) => setValue(document, at, text === "" ? undefined : text), pointer)}
          readable={read}
          expression
          oneLine
        />
      )}
    </Row>
  );
}

export function useReadable(key: string, place: "config" | "inputs" | "when") {
  const store = useEditorStore();
  const { path } = useActions();
  const { catalog } = useOffered();
  const tools = useMemo(() => new Map(catalog?.tools.map((tool) => [tool.name, tool.output_schema])), [catalog]);
  return useCallback(() => readable(store.getState().document, path, key, place, tools), [store, path, key, place, tools]);
}
