import { Field, TextArea } from "./field";
import { parseJson } from "./json";

/** A field for JSON that says where it stops being JSON. */
export function JsonField({ label, hint, value, onChange, error, rows }: { label: string; hint?: string; value: string; onChange: (text: string) => void; error?: string; rows?: number }) {
  const lines = value.split("\n").length;
  return (
    <Field label={label} hint={hint} error={parseJson(value).error ?? error}>
      {(ids) => (
        <TextArea {...ids} spellCheck={false} autoComplete="off" rows={rows ?? Math.min(20, Math.max(3, lines + 1))} value={value} onChange={(event) => onChange(event.target.value)} />
      )}
    </Field>
  );
}
