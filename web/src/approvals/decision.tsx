import type { Approval } from "@/api/types";
import { Ban, CircleCheck, CircleX, Hourglass, TimerOff, type LucideIcon } from "lucide-react";

type Answer = Pick<Approval, "decision" | "decided_by" | "decided_at" | "reason">;

const looks: Record<string, { icon: LucideIcon; word: string; tone: string }> = {
  approved: { icon: CircleCheck, word: "Approved", tone: "text-ok" },
  rejected: { icon: CircleX, word: "Rejected", tone: "text-bad" },
  expired: { icon: TimerOff, word: "Expired", tone: "text-warn" },
  canceled: { icon: Ban, word: "Canceled", tone: "text-idle" },
};

/** What became of a question, as icon and word. */
export function Decision({ decision }: { decision: string | null | undefined }) {
  const { icon: Icon, word, tone } = decision ? (looks[decision] ?? { icon: CircleCheck, word: decision, tone: "text-muted" }) : { icon: Hourglass, word: "Waiting", tone: "text-warn" };
  return (
    <span className={`inline-flex items-center gap-1.5 font-medium whitespace-nowrap ${tone}`}>
      <Icon size={14} aria-hidden className="shrink-0" />
      {word}
    </span>
  );
}

/** How a client named itself, in words. */
export function byWhom(by: string | null | undefined): string {
  return by === "web" ? "from these pages" : by === "cli" ? "from the command line" : by === "api" ? "through the API" : by ? `by ${by}` : "";
}

export const isOpen = (answer: Answer) => answer.decision == null;
