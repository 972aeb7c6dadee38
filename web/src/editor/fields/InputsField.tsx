import { Button, IconButton } from "@/ui/button";
import { Input } from "@/ui/field";
import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { useProblems } from "../context";
import { isObject, toPointer, within, type JsonObject, type Segments } from "../pointer";
import type { Readable } from "../suggest";
import { CodeField } from "./CodeField";
import { JsonField } from "./JsonField";
import { Row } from "./Row";
import { useForm } from "./SchemaFields";

/** The values that a step gets by name. */
export function InputsField({ at, value, readable }: { at: Segments; value: unknown; readable: () => Readable }) {
  const { set } = useForm();
  const problems = useProblems();
  const [adding, setAdding] = useState<string | null>(null);
  const pointer = toPointer(at);
  if (value !== undefined && value !== null && !isObject(value)) {
    return (
      <Row label="Inputs" pointer={pointer}>
        {(ids) => <JsonField ids={ids} value={value} onChange={(next) => set(at, next, pointer)} />}
      </Row>
    );
  }
  const inputs: JsonObject = value ?? {};
  const names = Object.keys(inputs);
  const own = problems.filter((problem) => problem.pointer === pointer);
  const change = (next: JsonObject, about: string) => set(at, Object.keys(next).length > 0 ? next : undefined, about);
  const add = () => {
    const name = adding?.trim() ?? "";
    if (name !== "" && !(name in inputs)) change({ ...inputs, [name]: "" }, "");
    setAdding(null);
  };
  return (
    <section aria-label="Inputs" data-pointer={pointer} className="flex flex-col gap-3">
      {names.map((name) => {
        const here = toPointer([...at, name]);
        const item = inputs[name];
        const put = (next: unknown) => change({ ...inputs, [name]: next ?? null }, here);
        return (
          <Row
            key={name}
            label={name}
            pointer={here}
            hint="A value, with bindings such as {{node.fetch.output}}. A text that is one binding keeps the type of its value."
            onClear={() => change(Object.fromEntries(Object.entries(inputs).filter(([each]) => each !== name)), "")}
          >
            {(ids) =>
              typeof item === "string" ? (
                <CodeField ids={ids} pointer={here} value={item} onChange={put} readable={readable} />
              ) : (
                <JsonField key={here} ids={ids} value={item} onChange={put} rows={1} />
              )
            }
          </Row>
        );
      })}
      {own.some((problem) => within(problem.pointer, pointer)) && <p className="text-xs text-bad">{own[0]?.message}</p>}
      {adding === null ? (
        <Button className="w-fit" onClick={() => setAdding("")}>
          <Plus size={13} aria-hidden />
          Add an input
        </Button>
      ) : (
        <form
          className="flex items-center gap-1"
          onSubmit={(event) => {
            event.preventDefault();
            add();
          }}
        >
          <Input aria-label="Name of the input" placeholder="name" autoFocus value={adding} onChange={(event) => setAdding(event.target.value)} onKeyDown={(event) => event.key === "Escape" && setAdding(null)} />
          <Button type="submit" disabled={adding.trim() === "" || adding.trim() in inputs}>
            Add
          </Button>
          <IconButton label="Do not add" onClick={() => setAdding(null)}>
            <Trash2 size={13} aria-hidden />
          </IconButton>
        </form>
      )}
    </section>
  );
}
