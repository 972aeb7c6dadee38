import type { Span } from "@/api/types";
import { runStatus, type AnyStatus } from "@/ui/status";
import { duration, UNKNOWN, usd } from "@/ui/format";

/** The status of a trace in the words that runs have. */
export const statusOf = (trace: Parameters<typeof runStatus>[0]): AnyStatus => (trace.status === "ok" ? "succeeded" : runStatus(trace));

/** The status of a span in the words that steps have. */
export const spanStatus = ({ status, open }: Pick<Span, "status" | "open">) => (status === "error" ? "failed" : open ? "running" : "succeeded");

/** While a trace is under way its duration is that until the last that was heard of it; before anything of it has ended it is not known. */
export function durationText({ status, duration_ms }: { status: string; duration_ms: number }): string {
  if (status !== "running") return duration(duration_ms);
  return duration_ms === 0 ? UNKNOWN : `≥ ${duration(duration_ms)}`;
}

interface Cost {
  total_cost_nanousd: number;
  cost_complete: boolean;
}

/** Where no call has a known price there is no cost to show: not nothing, and not "at least nothing". */
const unknown = (cost: Cost) => !cost.cost_complete && cost.total_cost_nanousd === 0;

export const costText = (cost: Cost) => (unknown(cost) ? UNKNOWN : `${cost.cost_complete ? "" : "≥ "}${usd(cost.total_cost_nanousd)}`);

export function costTitle(cost: Cost): string {
  if (unknown(cost)) return "No call has a known price.";
  return cost.cost_complete ? `${cost.total_cost_nanousd.toLocaleString("en-US")} nano-dollars` : "Some call has no known price: the cost is at least this.";
}
