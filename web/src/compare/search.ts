export interface CompareSearch {
  /** The run that is compared with; or `span:<trace>:<span>`, a model call that `b` made again. */
  a?: string;
  /** The run that is compared. */
  b?: string;
  /** Absent: the first step that differs is open. Empty: the reader closed it. */
  step?: string;
  /** Only steps that differ. */
  only?: "differences";
}

/** The span that `a` names. */
export function spanOf(a: string): { trace: string; span: string } | undefined {
  const [, trace, span] = /^span:([0-9a-f]{32}):([0-9a-f]{16})$/.exec(a) ?? [];
  return trace && span ? { trace, span } : undefined;
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
