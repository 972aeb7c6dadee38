import { useOpenRows, type Chosen, type Groups } from "@/runs/useGroups";
import { useCallback } from "react";
import { above, spanRows, type SpanTree } from "./tree";

/** The rows of a trace. */
export function useSpanGroups(tree: SpanTree, selected: string | undefined): Groups {
  const rowsOf = useCallback((chosen: Chosen) => spanRows(tree, chosen, selected), [tree, selected]);
  return useOpenRows(selected, (id) => above(tree, id), rowsOf);
}
