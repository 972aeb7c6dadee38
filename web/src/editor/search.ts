export interface EditorSearch {
  /** What stands beside the canvas; the step if absent. */
  pane?: "json" | "versions";
  /** The ids of the steps whose bodies lead to what is shown, with dots between. */
  body?: string;
  /** The selected step. */
  node?: string;
}

export function editorSearch(search: Record<string, unknown>): EditorSearch {
  const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);
  return { pane: search.pane === "json" || search.pane === "versions" ? search.pane : undefined, body: text(search.body), node: text(search.node) };
}
