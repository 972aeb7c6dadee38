import type { RunStatus } from "@/api/types";

const STATUSES: readonly string[] = ["queued", "running", "succeeded", "failed", "canceled"];
export const VIEWS = ["timeline", "tree", "graph", "log"] as const;
export type View = (typeof VIEWS)[number];

const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);

export interface RunsSearch {
  status?: RunStatus;
  workflow?: string;
  session?: string;
  /** Words that the failing step, the error, the workflow or the id must hold; among the rows that are loaded. */
  q?: string;
}

export function runsSearch(search: Record<string, unknown>): RunsSearch {
  const status = text(search.status);
  return {
    status: status && STATUSES.includes(status) ? (status as RunStatus) : undefined,
    workflow: text(search.workflow),
    session: text(search.session),
    q: text(search.q),
  };
}

export interface RunSearch {
  view?: View;
  /** Absent: the failing step opens by itself. Empty: the reader closed it. */
  step?: string;
  tab?: string;
  q?: string;
  /** The run as it was after this event. */
  at?: number;
}

export function runSearch(search: Record<string, unknown>): RunSearch {
  const view = VIEWS.find((view) => view === search.view);
  return {
    view: view === "timeline" ? undefined : view,
    step: typeof search.step === "string" ? search.step : undefined,
    tab: text(search.tab),
    q: text(search.q),
    at: Number.isInteger(Number(search.at)) && Number(search.at) > 0 ? Number(search.at) : undefined,
  };
}
