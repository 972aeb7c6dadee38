import type { RunSummary } from "@/api/types";

export interface WorkflowStats {
  /** Newest first. */
  latest: RunSummary[];
  /** Of the runs that succeeded or failed; absent if there are none. */
  p50?: number;
  p99?: number;
  /** Mean of the ended runs whose cost is known, in nano-dollars. */
  cost?: number;
}

/** The value below which a share of the sorted values lies (nearest rank). */
export function percentile(sorted: readonly number[], share: number): number | undefined {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}

export function statsOf(runs: readonly RunSummary[]): WorkflowStats {
  const ended = runs.filter((run) => run.status === "succeeded" || run.status === "failed");
  const times = ended.flatMap((run) => (run.total_latency_ms == null ? [] : [run.total_latency_ms])).sort((a, b) => a - b);
  const priced = ended.filter((run) => run.cost_complete);
  return {
    latest: runs.slice(0, 20),
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    cost: priced.length > 0 ? Math.round(priced.reduce((sum, run) => sum + run.total_cost_nanousd, 0) / priced.length) : undefined,
  };
}
