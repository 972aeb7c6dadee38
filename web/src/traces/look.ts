import type { AnyStatus } from "@/ui/status";
import { usd } from "@/ui/format";

/** The status of a trace in the words that runs have. */
export function statusOf(status: string): AnyStatus {
  if (status === "ok") return "succeeded";
  // What a newer server says is shown as it is.
  return status as AnyStatus;
}

export const costText = (cost: { total_cost_nanousd: number; cost_complete: boolean }) => `${cost.cost_complete ? "" : "≥ "}${usd(cost.total_cost_nanousd)}`;
export const costTitle = (cost: { total_cost_nanousd: number; cost_complete: boolean }) =>
  cost.cost_complete ? `${cost.total_cost_nanousd.toLocaleString("en-US")} nano-dollars` : "Some call has no known price: the cost is at least this.";
