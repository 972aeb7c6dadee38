export interface WorkflowsSearch {
  /** The workflow whose run dialog is open. */
  run?: string;
}

export function workflowsSearch(search: Record<string, unknown>): WorkflowsSearch {
  return { run: typeof search.run === "string" && search.run !== "" ? search.run : undefined };
}
