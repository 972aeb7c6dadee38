import type { Since } from "@/api/traces";
import { kindLabel } from "@/nodes/kind";
import { Button } from "@/ui/button";
import { Input, Select } from "@/ui/field";
import { statusWord } from "@/ui/status";
import { SlidersHorizontal } from "lucide-react";
import { useEffect, useRef, useState, type RefObject } from "react";
import { statusOf } from "./look";
import { SavedFilters } from "./SavedFilters";
import { filtersOf, KINDS, SORTS, STATUSES, WORDS, type Sort, type TracesSearch, type Word } from "./search";

const times: Record<Since, string> = { "15m": "Last 15 minutes", "1h": "Last hour", "24h": "Last 24 hours", "7d": "Last 7 days", "30d": "Last 30 days" };
const labels: Record<Word, string> = {
  model: "Model",
  provider: "Provider",
  user: "User",
  session: "Session",
  environment: "Environment",
  tag: "Tag",
  name: "Name of a span",
};

interface Props {
  search: TracesSearch;
  onChange: (next: TracesSearch) => void;
  searchInput: RefObject<HTMLInputElement | null>;
}

/** What is looked for. All of it lives in the URL. */
export function Filters({ search, onChange, searchInput }: Props) {
  const [open, setOpen] = useState(false);
  const set = WORDS.filter((word) => search[word] !== undefined).length;
  const clear = () => onChange({ sort: search.sort, live: search.live });
  return (
    <search className="flex shrink-0 flex-col gap-1.5 border-b border-line px-4 py-1.5">
      <div className="flex flex-wrap items-center gap-2">
        <TypedInput
          ref={searchInput}
          label="Search prompts and answers"
          placeholder={"Words, \"a phrase\" or begin*  ( / )"}
          value={search.q}
          onChange={(q) => onChange({ ...search, q })}
          className="min-w-0 flex-[1_1_100%] sm:max-w-80 sm:flex-[2_1_200px]"
        />
        <Choice label="Time" any="Any time" value={search.since} all={times} onChange={(since) => onChange({ ...search, since })} />
        <Choice
          label="Status"
          any="Any status"
          value={search.status}
          all={Object.fromEntries(STATUSES.map((status) => [status, statusWord(statusOf(status))])) as Record<(typeof STATUSES)[number], string>}
          onChange={(status) => onChange({ ...search, status })}
        />
        <Choice
          label="Kind of span"
          any="Any kind"
          value={search.kind}
          all={Object.fromEntries(KINDS.map((kind) => [kind, kindLabel(kind)])) as Record<(typeof KINDS)[number], string>}
          onChange={(kind) => onChange({ ...search, kind })}
        />
        <Select aria-label="Order" value={search.sort ?? "newest"} onChange={(event) => onChange({ ...search, sort: event.target.value === "newest" ? undefined : (event.target.value as Sort) })} className="min-w-0 flex-[1_1_40%] sm:!w-40 sm:flex-none">
          {Object.entries(SORTS).map(([sort, label]) => (
            <option key={sort} value={sort}>
              {label}
            </option>
          ))}
        </Select>
        <Button variant="ghost" aria-expanded={open || set > 0} disabled={set > 0} onClick={() => setOpen(!open)}>
          <SlidersHorizontal size={14} aria-hidden />
          More filters
        </Button>
        {Object.keys(filtersOf(search)).length > 0 && (
          <Button variant="ghost" onClick={clear}>
            Clear
          </Button>
        )}
        <SavedFilters search={search} onChange={onChange} />
      </div>
      {(open || set > 0) && (
        <div className="flex flex-wrap gap-2">
          {WORDS.map((word) => (
            <TypedInput
              key={word}
              label={labels[word]}
              placeholder={labels[word]}
              value={search[word]}
              onChange={(value) => onChange({ ...search, [word]: value })}
              className="min-w-0 flex-[1_1_110px] sm:max-w-44"
            />
          ))}
        </div>
      )}
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

/** Milliseconds after the last letter: each question goes to the server. */
const PAUSE_MS = 300;

function TypedInput({
  ref,
  label,
  placeholder,
  value,
  onChange,
  className,
}: {
  ref?: RefObject<HTMLInputElement | null>;
  label: string;
  placeholder: string;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
  className: string;
}) {
  const [text, setText] = useState(value ?? "");
  const [before, setBefore] = useState(value);
  // Changed from elsewhere: a saved filter, or the way back.
  if (value !== before) {
    setBefore(value);
    if ((value ?? "") !== text.trim()) setText(value ?? "");
  }
  const say = useRef(onChange);
  useEffect(() => {
    say.current = onChange;
  });
  useEffect(() => {
    const word = text.trim() || undefined;
    if (word === value) return;
    const timer = setTimeout(() => say.current(word), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text, value]);
  return (
    <Input
      ref={ref}
      type="search"
      aria-label={label}
      placeholder={placeholder}
      value={text}
      maxLength={1000}
      onChange={(event) => setText(event.target.value)}
      onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
      className={className}
    />
  );
}
