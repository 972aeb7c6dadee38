export interface ApprovalsSearch {
  /** Absent: those that are open. */
  view?: "decided";
  /** The question that is shown: `<run>:<step>`. Empty: the reader closed it. */
  id?: string;
}

export function approvalsSearch(search: Record<string, unknown>): ApprovalsSearch {
  return { view: search.view === "decided" ? "decided" : undefined, id: typeof search.id === "string" ? search.id : undefined };
}
