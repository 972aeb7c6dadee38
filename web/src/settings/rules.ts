import type { Catalog, Removal, Retention, Secret } from "@/api/types";
import { bytes, plural } from "@/ui/format";

const MAX_NAME = 100;
const MAX_VALUE = 64 * 1024;
const MAX_DAYS = 36_500;

/** What is wrong with the name of a secret, as the server would say it; nothing for one that is still empty. */
export function secretNameProblem(name: string): string | undefined {
  if (name === "") return undefined;
  if (name.length > MAX_NAME) return `At most ${MAX_NAME} characters.`;
  if (!/^[A-Za-z0-9_.-]+$/.test(name)) return "Letters, digits, “_”, “-” and “.” only.";
  if (/^[.-]/.test(name)) return "It begins with a letter, a digit or “_”.";
  return undefined;
}

export function secretValueProblem(value: string): string | undefined {
  const length = new TextEncoder().encode(value).length;
  return length > MAX_VALUE ? `The value has ${length} bytes, and at most ${MAX_VALUE} are kept.` : undefined;
}

/** The variable of the server that a workflow's secret can come from as well. */
export const variableOf = (name: string) => `FLOWTRACE_SECRET_${name.toUpperCase().replace(/[^A-Z0-9]/g, "_")}`;

/** Who can use a secret. */
export const usersOf = (secret: Secret) => (secret.used_by.length > 0 ? secret.used_by.join(", ") : "workflows");

/** Where a provider's key comes from, or could come from. */
export function keyOrigin({ key_name, key_source, configured, simulated }: Catalog["providers"][number]): string {
  if (simulated) return "simulated: no key is used";
  if (key_source === "environment") return `key from the environment: ${key_name}`;
  if (key_source === "secret") return `key from the secret ${key_name}`;
  if (!key_name) return "no key is sent";
  return configured ? `without a key: ${key_name} is not set` : `set ${key_name} as a secret, or in the environment`;
}

/** Days as somebody typed them; an error is a sentence. */
export function parseDays(text: string): { days: number } | { error: string } {
  const days = Number(text.trim());
  if (text.trim() === "" || !Number.isInteger(days) || days < 1 || days > MAX_DAYS) return { error: `A whole number from 1 to ${MAX_DAYS}.` };
  return { days };
}

export const daysText = (days: number) => (days === 0 ? "for ever" : plural(days, "day"));

/** Who decided about the days, and what the configuration file says otherwise. */
export function sourceText({ days, source, file_days, default_days }: Retention): string {
  if (source === "file") return "as the configuration file says";
  if (source === "default") return "the default";
  if (file_days == null) return `set here; the default is ${daysText(default_days)}`;
  if (file_days === days) return "set here, and in the configuration file";
  return `set here; the configuration file says ${daysText(file_days)}, which does not count`;
}

const dayOf = (time: string) => new Intl.DateTimeFormat("en-GB", { year: "numeric", month: "short", day: "numeric", timeZone: "UTC" }).format(new Date(time));

/** What goes, in a sentence; nothing if nothing goes. */
export function removalText(removal: Removal): string | undefined {
  if (!removal.before) return undefined;
  const stays = removal.pinned_traces > 0 ? ` ${plural(removal.pinned_traces, "pinned trace")} from that time ${removal.pinned_traces === 1 ? "stays" : "stay"}.` : "";
  return `${plural(removal.traces, "trace")} that came before ${dayOf(removal.before)} (UTC), about ${bytes(removal.bytes)}, will go within moments, for good.${stays}`;
}
