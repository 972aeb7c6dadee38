import { Ban, CircleCheck, CircleDashed, CircleSlash, CircleX, Hourglass, LoaderCircle, UserCheck, type LucideIcon } from "lucide-react";
import type { ReactElement } from "react";
import { cx } from "./cx";

export type AnyStatus = "queued" | "running" | "waiting" | "asking" | "succeeded" | "failed" | "skipped" | "canceled";

const statuses: Record<AnyStatus, { icon: LucideIcon; word: string; text: string; fill: string }> = {
  queued: { icon: CircleDashed, word: "Queued", text: "text-idle", fill: "bg-idle-fill" },
  running: { icon: LoaderCircle, word: "Running", text: "text-run", fill: "bg-run-fill" },
  waiting: { icon: Hourglass, word: "Waiting", text: "text-warn", fill: "bg-warn-fill" },
  asking: { icon: UserCheck, word: "Waiting for approval", text: "text-warn", fill: "bg-warn-fill" },
  succeeded: { icon: CircleCheck, word: "Succeeded", text: "text-ok", fill: "bg-ok-fill" },
  failed: { icon: CircleX, word: "Failed", text: "text-bad", fill: "bg-bad-fill" },
  skipped: { icon: CircleSlash, word: "Skipped", text: "text-idle", fill: "bg-idle-fill" },
  canceled: { icon: Ban, word: "Canceled", text: "text-idle", fill: "bg-idle-fill" },
};

/** A newer server may have words that these pages do not know yet. */
function lookOf(status: string): (typeof statuses)[AnyStatus] {
  const known = (statuses as Record<string, (typeof statuses)[AnyStatus] | undefined>)[status];
  const words = status.replaceAll(/[_-]+/g, " ");
  return known ?? { icon: CircleDashed, word: words.charAt(0).toUpperCase() + words.slice(1), text: "text-idle", fill: "bg-idle-fill" };
}

/** What a run in a list does, or a trace of one: a running one may wait. */
export function runStatus({ status, waits_for }: { status: string; waits_for?: "person" | "other" | null }): AnyStatus {
  if (status === "running" && waits_for) return waits_for === "person" ? "asking" : "waiting";
  return status as AnyStatus;
}

export const statusWord = (status: AnyStatus) => lookOf(status).word;
export const statusFill = (status: AnyStatus) => lookOf(status).fill;

/**
 * A status as icon, word and colour. Where there is no room for the words, or for one of them only, they are read out all the same. In rows the icon stands
 * still: many that turn, each at its own beat, make the browser draw all the time.
 */
export function Status({ status, compact, short, className }: { status: AnyStatus; compact?: boolean; short?: boolean; className?: string }) {
  const { icon: Icon, word, text } = lookOf(status);
  const icon = <Icon size={14} aria-hidden className="shrink-0" />;
  const [first, rest] = [word.split(" ", 1)[0], word.split(" ").slice(1).join(" ")];
  return (
    <span className={cx("inline-flex items-center gap-1.5 whitespace-nowrap", text, className)} title={compact || short ? word : undefined}>
      {status === "running" && !compact ? <span className="spin shrink-0">{icon}</span> : icon}
      <span className={compact ? "sr-only" : undefined}>
        {short ? first : word}
        {short && rest && <span className="sr-only"> {rest}</span>}
      </span>
    </span>
  );
}

/** The icon alone, for rows whose name says the status already: as few elements as can be, because thousands pass by. */
export function StatusIcon({ status }: { status: AnyStatus }) {
  let icon = icons.get(status);
  if (!icon) {
    const { icon: Icon, text } = lookOf(status);
    icons.set(status, (icon = <Icon size={14} aria-hidden className={cx("shrink-0", text)} />));
  }
  return icon;
}

/** The same element each time: React looks no further into it. */
const icons = new Map<string, ReactElement>();
