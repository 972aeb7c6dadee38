import { writeJson } from "@/api/lossless";
import { Button, IconButton } from "@/ui/button";
import { Input } from "@/ui/field";
import { Words } from "@/ui/words";
import { Braces, Check, PenLine, Plus, Trash2, Type, X } from "lucide-react";
import { useId, useRef, useState } from "react";
import { useProblems } from "../context";
import type { Schema } from "../language";
import { isObject, toPointer, type JsonObject, type Segments } from "../pointer";
import { useEditorStore } from "../store";
import { JsonField } from "./JsonField";
import { Row, sentence } from "./Row";
import { PropertyField, useForm } from "./SchemaFields";

/** What one entry is called, by the property that holds them. */
const NOUNS: Record<string, [one: string, name: string]> = {
  inputs: ["an input", "input"],
  handoffs: ["an agent", "agent"],
  state: ["a variable", "variable"],
  vars: ["a variable", "variable"],
  session: ["a variable", "variable"],
  update: ["a change", "variable that changes"],
  headers: ["a header", "header"],
};

/** Objects that are documents of another language, which nobody fills in entry by entry. */
const AS_JSON = new Set(["schema", "parameters", "simulate"]);

/** An object whose names are free: an entry a field, or the whole as JSON. */
export function EntriesField({ name, label, hint, at, value, item, required = false }: { name: string; label: string; hint?: string; at: Segments; value: unknown; item: Schema; required?: boolean }) {
  const { set } = useForm();
  const store = useEditorStore();
  const addButton = useRef<HTMLButtonElement>(null);
  const heading = useId();
  const problems = useProblems();
  const [adding, setAdding] = useState(false);
  const [json, setJson] = useState(AS_JSON.has(name));
  const pointer = toPointer(at);
  const entries: JsonObject = isObject(value) ? value : {};
  const names = Object.keys(entries);
  const [one, noun] = NOUNS[name] ?? ["an entry", "entry"];
  const own = problems.filter((problem) => problem.pointer === pointer);
  const change = (next: JsonObject, about: string) => set(at, required || Object.keys(next).length > 0 ? next : undefined, about);
  const open = Object.keys(item).length === 0;
  // What had the focus goes away: it goes on to what came of it.
  const goOn = (to: string | null) => {
    if (to !== null) store.focusField(toPointer([...at, to]));
    else requestAnimationFrame(() => addButton.current?.focus());
  };
  const toggle = (
    <Button variant="ghost" className="!h-5 !px-1.5 !text-xs" aria-pressed={json} onClick={() => setJson(!json)}>
      {json ? "Form" : "JSON"}
    </Button>
  );
  return (
    <div role="group" aria-labelledby={heading} data-pointer={pointer} className="flex flex-col gap-2">
      <div className="flex min-h-5 items-center gap-1">
        <span id={heading} className="text-xs font-medium text-muted" title={hint}>
          {label}
        </span>
        <span className="ml-auto" />
        {(json || names.length > 0 || AS_JSON.has(name)) && toggle}
      </div>
      {json ? (
        <Row label={`${label}, as JSON`} hideLabel pointer={pointer} hint={hint}>
          {(ids) => <JsonField ids={ids} value={value ?? undefined} rows={value == null ? 2 : 4} onChange={(next) => set(at, next, pointer)} />}
        </Row>
      ) : (
        <>
          {own.map((problem) => (
            <p key={problem.code + problem.message} className="text-xs text-bad">
              <Words text={sentence(problem.message)} />
            </p>
          ))}
          {names.map((key) => (
            <Entry
              key={key}
              name={key}
              at={[...at, key]}
              value={entries[key]}
              item={item}
              open={open}
              taken={(next) => next !== key && Object.hasOwn(entries, next)}
              onRename={(next) => {
                if (next !== key) change(Object.fromEntries(Object.entries(entries).map(([each, inner]) => [each === key ? next : each, inner])), "");
                goOn(next);
              }}
              onRemove={() => {
                change(Object.fromEntries(Object.entries(entries).filter(([each]) => each !== key)), "");
                goOn(null);
              }}
            />
          ))}
          {adding ? (
            <NameForm
              label={`Name of the ${noun}`}
              taken={(next) => Object.hasOwn(entries, next)}
              submit="Add"
              onDone={(next) => {
                if (next !== null) change({ ...entries, [next]: open ? "" : startOf(item) }, "");
                setAdding(false);
                goOn(next);
              }}
            />
          ) : (
            <Button ref={addButton} className="w-fit" onClick={() => setAdding(true)}>
              <Plus size={13} aria-hidden />
              Add {one}
            </Button>
          )}
        </>
      )}
    </div>
  );
}

const startOf = (item: Schema): unknown => (item.type === "object" ? {} : "");

function Entry({
  name,
  at,
  value,
  item,
  open,
  taken,
  onRename,
  onRemove,
}: {
  name: string;
  at: Segments;
  value: unknown;
  item: Schema;
  /** A value of any form. */
  open: boolean;
  taken: (name: string) => boolean;
  onRename: (name: string) => void;
  onRemove: () => void;
}) {
  const { set } = useForm();
  const [renaming, setRenaming] = useState(false);
  // Text is text, with bindings; a number or a list is written as JSON.
  const [json, setJson] = useState(typeof value !== "string");
  const pointer = toPointer(at);
  if (renaming) {
    return (
      <NameForm
        label={`New name of ${name}`}
        start={name}
        taken={taken}
        submit="Rename"
        onDone={(next) => {
          setRenaming(false);
          onRename(next ?? name);
        }}
      />
    );
  }
  return (
    <div className="relative">
      {open && json ? (
        <Row label={name} pointer={pointer}>
          {(ids) => <JsonField ids={ids} value={value} rows={1} onChange={(next) => set(at, next ?? null, pointer)} />}
        </Row>
      ) : (
        <PropertyField name="" label={name} schema={item} value={value} at={at} required />
      )}
      <span className="absolute top-0 right-0 flex">
        {open && (
          <IconButton
            className="!size-5"
            label={json ? `Write ${name} as text` : `Write ${name} as JSON: a number, a list, an object`}
            onClick={() => {
              if (json && typeof value !== "string") set(at, writeJson(value ?? ""), "");
              setJson(!json);
            }}
          >
            {json ? <Type size={12} aria-hidden /> : <Braces size={12} aria-hidden />}
          </IconButton>
        )}
        <IconButton className="!size-5" label={`Rename ${name}`} onClick={() => setRenaming(true)}>
          <PenLine size={12} aria-hidden />
        </IconButton>
        <IconButton className="!size-5" label={`Remove ${name}`} onClick={onRemove}>
          <Trash2 size={12} aria-hidden />
        </IconButton>
      </span>
    </div>
  );
}

/** Asks for a name that is not taken; `null` if nobody wants one after all. */
function NameForm({ label, start = "", taken, submit, onDone }: { label: string; start?: string; taken: (name: string) => boolean; submit: string; onDone: (name: string | null) => void }) {
  const [typed, setTyped] = useState(start);
  const name = typed.trim();
  const refused = taken(name);
  return (
    <form
      className="flex items-center gap-1"
      onSubmit={(event) => {
        event.preventDefault();
        if (name !== "" && !refused) onDone(name);
      }}
    >
      <Input
        aria-label={label}
        aria-invalid={refused || undefined}
        title={refused ? "There is one with this name already." : undefined}
        placeholder="name"
        className="font-mono"
        spellCheck={false}
        autoFocus
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.stopPropagation();
          onDone(null);
        }}
      />
      <IconButton type="submit" label={submit} disabled={name === "" || refused}>
        <Check size={14} aria-hidden />
      </IconButton>
      <IconButton label="Leave it" onClick={() => onDone(null)}>
        <X size={14} aria-hidden />
      </IconButton>
    </form>
  );
}
