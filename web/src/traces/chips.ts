import type { Since } from "@/api/traces";
import { kindLabel } from "@/nodes/kind";
import { statusWord } from "@/ui/status";
import { statusOf } from "./look";
import { metadataOf, metadataText, RANGES, WORDS, type Range, type TracesSearch, type Word } from "./search";

export const TIMES: Record<Since, string> = { "15m": "Last 15 minutes", "1h": "Last hour", "24h": "Last 24 hours", "7d": "Last 7 days", "30d": "Last 30 days" };

export const WORD_LABELS: Record<Word, string> = {
  model: "Model",
  provider: "Provider",
  user: "User",
  session: "Session",
  environment: "Environment",
  tag: "Tag",
  name: "Name of a span",
  workflow: "Workflow",
  service: "Service",
  prompt: "Prompt",
  version: "Version of the prompt",
  score: "Score",
};

export const RANGE_LABELS: Record<Range, { label: string; unit: string }> = {
  seconds: { label: "Latency", unit: "s" },
  cost: { label: "Cost", unit: "US$" },
  tokens: { label: "Tokens", unit: "" },
  value: { label: "Value of the score", unit: "" },
};

/** A condition that is set, and what takes it away. */
export interface Condition {
  id: string;
  label: string;
  value: string;
  without: Partial<TracesSearch>;
}

/** Every condition that is set, in the order of the form. */
export function conditions(search: TracesSearch): Condition[] {
  const found: Condition[] = [];
  const add = (id: string, label: string, value: string, without: Partial<TracesSearch>) => found.push({ id, label, value, without });
  if (search.q) add("q", "Words", search.q, { q: undefined });
  if (search.since) add("since", "Time", TIMES[search.since], { since: undefined });
  if (search.from) add("from", "From", moment(search.from), { from: undefined });
  if (search.to) add("to", "To", moment(search.to), { to: undefined });
  if (search.status) add("status", "Status", statusWord(statusOf({ status: search.status })), { status: undefined });
  if (search.kind) add("kind", "Kind", kindLabel(search.kind), { kind: undefined });
  for (const word of WORDS) {
    const value = search[word];
    // Without its name the value of a score means nothing.
    if (value) add(word, WORD_LABELS[word], value, word === "score" ? { score: undefined, value_from: undefined, value_to: undefined } : { [word]: undefined });
  }
  const pairs = metadataOf(search.metadata);
  pairs.forEach(([key, value], index) => add(`metadata.${key}`, "Metadata", `${key} = ${value}`, { metadata: metadataText(pairs.filter((_, other) => other !== index)) }));
  for (const range of RANGES) {
    const [from, to] = [search[`${range}_from`], search[`${range}_to`]];
    if (from === undefined && to === undefined) continue;
    const { label, unit } = RANGE_LABELS[range];
    const value = from !== undefined && to !== undefined ? `${from} to ${to}` : from !== undefined ? `≥ ${from}` : `≤ ${to}`;
    add(range, label, `${value} ${unit}`.trim(), { [`${range}_from`]: undefined, [`${range}_to`]: undefined });
  }
  if (search.pinned) add("pinned", "Pinned", "yes", { pinned: undefined });
  return found;
}

function moment(iso: string): string {
  return new Date(iso).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
}

/** A time for `<input type="datetime-local">`, which knows no zones. */
export function localTime(iso: string | undefined): string {
  if (!iso) return "";
  const date = new Date(iso);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** And back; `undefined` while it is not written out. */
export function utcTime(local: string): string | undefined {
  const time = new Date(local);
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString();
}
