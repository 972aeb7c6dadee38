import type { Since } from "@/api/traces";
import { kindLabel } from "@/nodes/kind";
import { Button } from "@/ui/button";
import { Conditions } from "@/ui/conditions";
import { Select } from "@/ui/field";
import { statusWord } from "@/ui/status";
import { TypedInput } from "@/ui/typedInput";
import { SlidersHorizontal } from "lucide-react";
import { useState, type RefObject } from "react";
import { conditions, TIMES } from "./chips";
import { statusOf } from "./look";
import { MoreFilters } from "./MoreFilters";
import { SavedFilters } from "./SavedFilters";
import { KINDS, SORTS, STATUSES, type Sort, type TracesSearch } from "./search";

interface Props {
  search: TracesSearch;
  onChange: (part: Partial<TracesSearch>) => void;
  /** These filters and no others. */
  onReplace: (filters: TracesSearch) => void;
  searchInput: RefObject<HTMLInputElement | null>;
}

/** What is looked for. All of it lives in the URL. */
export function Filters({ search, onChange, onReplace, searchInput }: Props) {
  const [open, setOpen] = useState(false);
  const set = conditions(search);
  return (
    <search className="flex shrink-0 flex-col gap-1.5 border-b border-line px-4 py-1.5">
      <div className="flex flex-wrap items-center gap-2">
        <TypedInput
          ref={searchInput}
          aria-label="Search prompts and answers"
          placeholder={'Words, "a phrase" or begin*  ( / )'}
          value={search.q}
          onChange={(q) => onChange({ q })}
          className="min-w-0 flex-[1_1_100%] sm:max-w-80 sm:flex-[2_1_200px]"
        />
        <Choice label="Time" any={search.from || search.to ? "As below" : "Any time"} value={search.since} all={TIMES} onChange={(since: Since | undefined) => onChange({ since, from: undefined, to: undefined })} />
        <Choice
          label="Status"
          any="Any status"
          value={search.status}
          all={Object.fromEntries(STATUSES.map((status) => [status, statusWord(statusOf({ status }))])) as Record<(typeof STATUSES)[number], string>}
          onChange={(status) => onChange({ status })}
        />
        <Choice
          label="Kind of span"
          any="Any kind"
          value={search.kind}
          all={Object.fromEntries(KINDS.map((kind) => [kind, kindLabel(kind)])) as Record<(typeof KINDS)[number], string>}
          onChange={(kind) => onChange({ kind })}
        />
        <Select aria-label="Order" value={search.sort ?? "newest"} onChange={(event) => onChange({ sort: event.target.value === "newest" ? undefined : (event.target.value as Sort) })} className="min-w-0 flex-[1_1_40%] sm:!w-40 sm:flex-none">
          {Object.entries(SORTS).map(([sort, label]) => (
            <option key={sort} value={sort}>
              {label}
            </option>
          ))}
        </Select>
        <Button variant="ghost" aria-expanded={open} onClick={() => setOpen(!open)}>
          <SlidersHorizontal size={14} aria-hidden />
          {open ? "Fewer filters" : "More filters"}
        </Button>
        <SavedFilters search={search} onReplace={onReplace} />
      </div>
      {open && <MoreFilters search={search} onChange={onChange} />}
      <Conditions all={set.map(({ without, ...condition }) => ({ ...condition, onRemove: () => onChange(without) }))} onClear={() => onReplace({})} />
    </search>
  );
}

function Choice<T extends string>({ label, any, value, all, onChange }: { label: string; any: string; value: T | undefined; all: Record<T, string>; onChange: (value: T | undefined) => void }) {
  return (
    <Select aria-label={label} value={value ?? ""} onChange={(event) => onChange((event.target.value || undefined) as T | undefined)} className="min-w-0 flex-[1_1_40%] sm:!w-34 sm:flex-none">
      <option value="">{any}</option>
      {(Object.entries(all) as [T, string][]).map(([each, text]) => (
        <option key={each} value={each}>
          {text}
        </option>
      ))}
    </Select>
  );
}
