import type { ReactNode } from "react";
import { cx } from "./cx";

export type ChipTone = "neutral" | "bad" | "warn" | "ok" | "cache" | "accent";

const tones: Record<ChipTone, string> = {
  neutral: "text-muted border-line",
  bad: "text-bad border-bad/40",
  warn: "text-warn border-warn/40",
  ok: "text-ok border-ok/40",
  cache: "text-cache border-cache/40",
  accent: "text-accent border-accent/40",
};

/** A short word about a row: `2 retries`, `cached`, `simulated`. */
export function Chip({ tone = "neutral", title, children }: { tone?: ChipTone; title?: string; children: ReactNode }) {
  return (
    <span title={title} className={cx("num inline-flex h-[18px] items-center gap-1 rounded border px-1 text-xs leading-none", tones[tone])}>
      {children}
    </span>
  );
}
