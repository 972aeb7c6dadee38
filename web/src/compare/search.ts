export interface CompareSearch {
  /** The run that is compared with. */
  a?: string;
  /** The run that is compared. */
  b?: string;
  /** Absent: the first step that differs is open. Empty: the reader closed it. */
  step?: string;
  /** Only steps that differ. */
  only?: "differences";
}

export function compareSearch(search: Record<string, unknown>): CompareSearch {
  const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);
  return {
    a: text(search.a),
    b: text(search.b),
    step: typeof search.step === "string" ? search.step : undefined,
    only: search.only === "differences" ? "differences" : undefined,
  };
}
