import { Button } from "@/ui/button";
import { cx } from "@/ui/cx";
import { Input } from "@/ui/field";
import { TypedInput } from "@/ui/typedInput";
import { Plus } from "lucide-react";
import { useState, type ReactNode } from "react";
import { localTime, RANGE_LABELS, utcTime, WORD_LABELS } from "./chips";
import { metadataOf, metadataText, numberText, RANGES, WORDS, type Bound, type Range, type TracesSearch } from "./search";

interface Props {
  search: TracesSearch;
  onChange: (part: Partial<TracesSearch>) => void;
}

/** Every condition that the server knows, each applied as it is filled in. */
export function MoreFilters({ search, onChange }: Props) {
  return (
    <div className="grid max-h-[46vh] grid-cols-2 sm:grid-cols-[repeat(auto-fill,minmax(190px,1fr))] gap-x-3 gap-y-2 overflow-y-auto py-1" role="group" aria-label="More filters">
      {WORDS.map((word) => (
        <Labelled key={word} label={WORD_LABELS[word]}>
          <TypedInput
            aria-label={WORD_LABELS[word]}
            placeholder={word === "tag" ? "a, or a,b for both" : "exactly"}
            value={search[word]}
            onChange={(value) => onChange({ [word]: value, ...(word === "score" && !value ? { value_from: undefined, value_to: undefined } : {}) })}
          />
        </Labelled>
      ))}
      {RANGES.map((range) => (
        <RangeInputs key={range} range={range} search={search} onChange={onChange} />
      ))}
      <Metadata search={search} onChange={onChange} />
      <Labelled wide label="Started at or after">
        <Input type="datetime-local" aria-label="Started at or after" value={localTime(search.from)} onChange={(event) => onChange({ since: undefined, from: utcTime(event.target.value) })} />
      </Labelled>
      <Labelled wide label="Started at or before">
        <Input type="datetime-local" aria-label="Started at or before" value={localTime(search.to)} onChange={(event) => onChange({ since: undefined, to: utcTime(event.target.value) })} />
      </Labelled>
      <label className="flex items-center gap-2 self-end pb-1">
        <input type="checkbox" checked={search.pinned === "true"} onChange={(event) => onChange({ pinned: event.target.checked ? "true" : undefined })} />
        Only pinned ones
      </label>
    </div>
  );
}

/** The control says its name itself; this is for the eye. */
function Labelled({ label, wide, children }: { label: string; wide?: boolean; children: ReactNode }) {
  return (
    <div className={cx("flex min-w-0 flex-col gap-0.5", wide && "col-span-full sm:col-auto")}>
      <span aria-hidden className="text-xs text-muted">
        {label}
      </span>
      {children}
    </div>
  );
}

function RangeInputs({ range, search, onChange }: Props & { range: Range }) {
  const { label, unit } = RANGE_LABELS[range];
  const name = unit ? `${label}, ${unit}` : label;
  const off = range === "value" && !search.score;
  const bound = (key: Bound, what: string) => (
    <NumberInput key={key} label={`${name}: ${what}`} placeholder={what} value={search[key]} negative={range === "value"} disabled={off} onChange={(value) => onChange({ [key]: value })} />
  );
  return (
    <Labelled wide label={off ? `${name}: name it first` : name}>
      <div className="flex gap-1.5" role="group" aria-label={name}>
        {bound(`${range}_from`, "at least")}
        {bound(`${range}_to`, "at most")}
      </div>
    </Labelled>
  );
}

function NumberInput({ label, placeholder, value, negative, disabled, onChange }: { label: string; placeholder: string; value: string | undefined; negative: boolean; disabled: boolean; onChange: (value: string | undefined) => void }) {
  const [wrong, setWrong] = useState(false);
  return (
    <TypedInput
      aria-label={label}
      placeholder={placeholder}
      inputMode="decimal"
      disabled={disabled}
      aria-invalid={wrong || undefined}
      value={value}
      className="min-w-0 num"
      onChange={(text) => {
        const number = numberText(text, negative);
        setWrong(text !== undefined && number === undefined);
        if (text === undefined || number !== undefined) onChange(number);
      }}
    />
  );
}

function Metadata({ search, onChange }: Props) {
  const [key, setKey] = useState("");
  const [value, setValue] = useState("");
  const add = () => {
    if (key.trim() === "") return;
    const others = metadataOf(search.metadata).filter(([other]) => other !== key.trim());
    onChange({ metadata: metadataText([...others, [key.trim(), value.trim()]]) });
    setKey("");
    setValue("");
  };
  return (
    <Labelled wide label="Metadata: key and value">
      <form
        aria-label="Metadata"
        className="flex gap-1.5"
        onSubmit={(event) => {
          event.preventDefault();
          add();
        }}
      >
        <Input aria-label="Metadata key" placeholder="key" value={key} maxLength={200} onChange={(event) => setKey(event.target.value)} className="min-w-0" />
        <Input aria-label="Metadata value" placeholder="value" value={value} maxLength={1000} onChange={(event) => setValue(event.target.value)} className="min-w-0" />
        <Button type="submit" aria-label="Add the metadata condition" disabled={key.trim() === ""} className="!px-1.5">
          <Plus size={14} aria-hidden />
        </Button>
      </form>
    </Labelled>
  );
}
