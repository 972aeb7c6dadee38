import { numberIn, numberOf as literalOf } from "@/api/lossless";
import { Button, IconButton } from "@/ui/button";
import { Input, Select, TextArea } from "@/ui/field";
import { ChevronRight, Layers, Plus, Trash2 } from "lucide-react";
import { useContext, createContext, useId, useState, type ReactNode } from "react";
import { useOffered, useProblems } from "../context";
import { choicesOf, isGraph, labelOf, propertiesOf, requiredOf, starting, typesOf, type Schema } from "../language";
import { isObject, same, toPointer, within, type JsonObject, type Segments } from "../pointer";
import type { Readable } from "../suggest";
import { CodeField } from "./CodeField";
import { EntriesField } from "./EntriesField";
import { JsonField } from "./JsonField";
import { ModelField } from "./ModelField";
import { Row, type RowIds } from "./Row";

export interface FormContext {
  /** Changes the document at a place; `about` joins what is typed in one go. */
  set: (at: Segments, value: unknown, about: string) => void;
  /** What texts here can read. */
  readable: () => Readable;
  /** Opens the graph inside of the step. */
  openBody: () => void;
}

const Context = createContext<FormContext | null>(null);
export const FormProvider = Context.Provider;

export function useForm(): FormContext {
  const form = useContext(Context);
  if (!form) throw new Error("Fields stand inside a FormProvider.");
  return form;
}

/** Properties with fixed words, in which bindings are not filled in. */
const PLAIN = new Set(["provider", "model", "tool", "name", "description", "entry", "seed", "workflow", "signal", "id"]);
/** Texts of several lines. */
const LONG = new Set(["prompt", "system", "template", "instructions", "question", "message"]);
/** As many properties are shown at once; those of a longer form that are not in use wait under "More". */
const FEW = 6;

/** A form for an object, made from its JSON Schema. `first` come first and are always shown. */
export function SchemaFields({ schema, value, at, first = [], skip = [] }: { schema: Schema; value: JsonObject; at: Segments; first?: readonly string[]; skip?: readonly string[] }) {
  const { language } = useOffered();
  const { set } = useForm();
  const problems = useProblems();
  const properties = propertiesOf(schema);
  const required = requiredOf(schema);
  const asModel = "provider" in properties && "model" in properties && !skip.includes("model");
  const names = Object.keys(properties).filter((name) => !skip.includes(name) && !(asModel && (name === "provider" || name === "model")));
  const order = [...first.filter((name) => names.includes(name)), ...names.filter((name) => !first.includes(name))];
  // What was in use when the form came up: a field must not move away under the one who starts to fill it in.
  const [used] = useState(() => new Set(Object.keys(value)));
  const main = order.filter((name) => first.includes(name) || required.has(name) || used.has(name) || order.length <= FEW);
  const more = order.filter((name) => !main.includes(name));
  const unknown = Object.keys(value).filter((name) => !(name in properties) && !skip.includes(name));
  const field = (name: string) => (
    <PropertyField key={name} name={name} schema={language.resolve(properties[name])} value={value[name]} at={[...at, name]} required={required.has(name)} />
  );
  return (
    <div className="flex flex-col gap-3">
      {asModel && <ModelField at={at} value={value} required={required.has("model")} onChange={set} />}
      {main.map(field)}
      {unknown.map((name) => (
        <PropertyField key={name} name={name} schema={{}} value={value[name]} at={[...at, name]} required={false} />
      ))}
      {more.length > 0 && (
        <More key={toPointer(at)} count={more.length} open={more.some((name) => problems.some((problem) => within(problem.pointer, toPointer([...at, name]))))}>
          {more.map(field)}
        </More>
      )}
    </div>
  );
}

export function More({ count, label, open = false, children }: { count?: number; label?: string; open?: boolean; children: ReactNode }) {
  const [shown, setShown] = useState(open);
  return (
    <details open={shown} onToggle={(event) => setShown(event.currentTarget.open)} className="rounded">
      <summary className="-mx-1 flex h-7 items-center gap-1 rounded px-1 text-xs font-medium text-muted hover:text-text">
        <ChevronRight size={13} className={shown ? "rotate-90" : undefined} aria-hidden />
        {label ?? (count === 1 ? "1 more setting" : `${count} more settings`)}
      </summary>
      <div className="flex flex-col gap-3 pt-2">{children}</div>
    </details>
  );
}

export function PropertyField({ name, schema, value, at, required, label = labelOf(name) }: { name: string; schema: Schema; value: unknown; at: Segments; required: boolean; label?: string }) {
  const { language } = useOffered();
  const { set, readable, openBody } = useForm();
  const pointer = toPointer(at);
  const hint = typeof schema.description === "string" ? schema.description : undefined;
  const change = (next: unknown) => set(at, next, pointer);
  const clear = value === undefined || required ? undefined : () => change(undefined);
  const row = { label, pointer, hint, required: required && value === undefined, onClear: clear };
  const types = typesOf(schema);
  const choices = choicesOf(schema);
  const type = types[0];
  const isText = value === undefined || value === null || typeof value === "string";
  // `{{…}}` can stand where a number or a list is expected, and is kept as the text that it is.
  const holdsBinding = typeof value === "string" && type !== "string" && type !== undefined;

  if (isGraph(schema) || (name === "body" && isObject(value) && Array.isArray(value.nodes))) {
    const count = isObject(value) && Array.isArray(value.nodes) ? value.nodes.length : 0;
    return (
      <Row {...row} onClear={undefined}>
        {(ids) => (
          <Button {...ids} className="w-fit" onClick={openBody}>
            <Layers size={14} aria-hidden />
            Open the {count === 1 ? "step" : `${count} steps`} inside
          </Button>
        )}
      </Row>
    );
  }
  if (choices.length > 0 && isText) {
    return (
      <Row {...row} inline>
        {(ids) => (
          <Select {...ids} value={typeof value === "string" ? value : ""} onChange={(event) => change(event.target.value === "" ? undefined : event.target.value)}>
            <option value="">{required ? "Choose one" : "Default"}</option>
            {choices.map((choice) => (
              <option key={choice}>{choice}</option>
            ))}
            {typeof value === "string" && !choices.includes(value) && <option value={value}>{value} (unknown)</option>}
          </Select>
        )}
      </Row>
    );
  }
  if (type === "boolean" && !holdsBinding && (value === undefined || value === null || typeof value === "boolean")) {
    return (
      <Row {...row} inline>
        {(ids) => (
          <Select {...ids} value={String(value ?? "")} onChange={(event) => change(event.target.value === "" ? undefined : event.target.value === "true")}>
            <option value="">Default{typeof schema.default === "boolean" ? ` (${schema.default ? "yes" : "no"})` : ""}</option>
            <option value="true">Yes</option>
            <option value="false">No</option>
          </Select>
        )}
      </Row>
    );
  }
  if ((type === "integer" || type === "number") && (isText || numberIn(value) !== undefined)) {
    return (
      <Row {...row} inline>
        {(ids) => (
          <NumberField ids={ids} value={value} integer={type === "integer"} placeholder={typeof schema.default === "number" ? String(schema.default) : undefined} onChange={change} />
        )}
      </Row>
    );
  }
  if (type === "array" && !holdsBinding && (value === undefined || value === null || Array.isArray(value))) {
    const items = Array.isArray(value) ? (value as unknown[]) : [];
    const item = language.resolve(schema.items);
    if (typesOf(item)[0] === "string" && items.every((each) => typeof each === "string")) {
      return <Row {...row}>{(ids) => <Lines ids={ids} items={items} onChange={(next) => change(next)} />}</Row>;
    }
    if (Object.keys(propertiesOf(item)).length > 0 && items.every(isObject)) {
      return (
        <Group label={label} pointer={pointer} hint={hint}>
          {items.map((each, index) => (
            <div key={index} className="relative rounded border border-line p-2">
              <SchemaFields schema={item} value={each} at={[...at, index]} />
              <IconButton className="absolute top-0.5 right-0.5" label={`Remove ${label} ${index + 1}`} onClick={() => change(items.length === 1 && !required ? undefined : items.toSpliced(index, 1))}>
                <Trash2 size={13} aria-hidden />
              </IconButton>
            </div>
          ))}
          <Button className="w-fit" onClick={() => change([...items, starting(item, language)])}>
            <Plus size={13} aria-hidden />
            Add
          </Button>
        </Group>
      );
    }
    return <Row {...row}>{(ids) => <JsonField key={pointer} ids={ids} value={value ?? undefined} onChange={change} rows={3} />}</Row>;
  }
  if (type === "object" && !holdsBinding && (value === undefined || value === null || isObject(value)) && Object.keys(propertiesOf(schema)).length > 0) {
    return (
      <Group label={label} pointer={pointer} hint={hint}>
        <SchemaFields schema={schema} value={isObject(value) ? value : {}} at={at} />
      </Group>
    );
  }
  if (type === "object" && !holdsBinding && (value === undefined || value === null || isObject(value))) {
    return <EntriesField name={name} label={label} hint={hint} at={at} value={value} item={language.resolve(schema.additionalProperties)} required={required} />;
  }
  // A value of any form is mostly a binding; what is written as JSON stays JSON.
  if ((types.includes("string") || types.length === 0 || holdsBinding) && isText) {
    const expression = schema.format === "expression";
    const short = typeof schema.maxLength === "number" && schema.maxLength <= 200;
    const text = typeof value === "string" ? value : "";
    // An empty text of a property that may be left out means that it is left out.
    const put = (next: string) => change(next === "" && !required ? undefined : next);
    if (name === "description") return <Row {...row}>{(ids) => <TextArea {...ids} dir="auto" className="!font-sans" rows={3} value={text} onChange={(event) => put(event.target.value)} />}</Row>;
    if (PLAIN.has(name) && !expression) {
      return <Row {...row}>{(ids) => <Input {...ids} dir="auto" value={text} onChange={(event) => put(event.target.value)} />}</Row>;
    }
    return <Row {...row}>{(ids) => <CodeField ids={ids} pointer={pointer} value={text} onChange={put} readable={readable} expression={expression} oneLine={short || expression || name === "url"} tall={LONG.has(name)} />}</Row>;
  }
  return <Row {...row}>{(ids) => <JsonField key={pointer} ids={ids} value={value} onChange={change} />}</Row>;
}

function Group({ label, pointer, hint, children }: { label: string; pointer: string; hint?: string; children: ReactNode }) {
  const heading = useId();
  return (
    <div role="group" aria-labelledby={heading} data-pointer={pointer} className="flex flex-col gap-2 border-l-2 border-line pl-3">
      <div id={heading} title={hint} className="text-xs font-medium text-muted">
        {label}
      </div>
      {children}
    </div>
  );
}

/** A list of texts, one a line. */
function Lines({ ids, items, onChange }: { ids: RowIds; items: string[]; onChange: (items: string[] | undefined) => void }) {
  const [typed, setTyped] = useState<string | null>(null);
  const text = items.join("\n");
  const lines = (value: string) => value.split("\n").filter((line) => line !== "");
  // An empty line at the end is one that is being typed.
  const shown = typed !== null && lines(typed).join("\n") === text ? typed : text;
  return (
    <TextArea
      {...ids}
      dir="auto"
      rows={Math.min(8, Math.max(2, shown.split("\n").length))}
      placeholder="One a line"
      value={shown}
      onChange={(event) => {
        setTyped(event.target.value);
        const next = lines(event.target.value);
        onChange(next.length > 0 ? next : undefined);
      }}
    />
  );
}

/** A number where one was typed; other text stays as it is, and the server says what is wrong with it. */
function NumberField({ ids, value, integer, placeholder, onChange }: { ids: RowIds; value: unknown; integer: boolean; placeholder?: string; onChange: (value: unknown) => void }) {
  // `1.` and `1.0` are on the way to `1.05`.
  const [typed, setTyped] = useState<string | null>(null);
  const shown = typed !== null && same(numberOf(typed), value) ? typed : value === undefined || value === null ? "" : String(value);
  return (
    <Input
      {...ids}
      inputMode={integer ? "numeric" : "decimal"}
      placeholder={placeholder}
      value={shown}
      onChange={(event) => {
        setTyped(event.target.value);
        onChange(numberOf(event.target.value));
      }}
    />
  );
}

/** A number with all its digits; what is on the way to one counts as it is, and other text stays text. */
export function numberOf(text: string): unknown {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  const loose = /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed) && Number.isFinite(Number(trimmed)) ? Number(trimmed) : text;
  return literalOf(trimmed) ?? loose;
}
