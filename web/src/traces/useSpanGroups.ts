import type { Groups } from "@/runs/useGroups";
import type { PathRow } from "@/runs/rows";
import { useCallback, useMemo, useState } from "react";
import { above, spanRows, type SpanTree } from "./tree";

/** The rows of a trace, with spans that open and close. A span that is opened from elsewhere opens what it stands in. */
export function useSpanGroups(tree: SpanTree, selected: string | undefined): Groups {
  const [chosen, setChosen] = useState<ReadonlyMap<string, boolean>>(new Map());
  const [before, setBefore] = useState(selected);
  if (selected !== before) {
    setBefore(selected);
    const hidden = selected ? above(tree, selected).filter((id) => chosen.get(id) === false) : [];
    if (hidden.length > 0) setChosen(new Map([...chosen].filter(([id]) => !hidden.includes(id))));
  }
  const rows = useMemo(() => spanRows(tree, chosen, selected), [tree, chosen, selected]);
  const selectedIndex = useMemo(() => (selected ? rows.findIndex((row) => row.path === selected) : -1), [rows, selected]);
  const toggle = useCallback((row: PathRow, open = !row.open) => setChosen((old) => new Map(old).set(row.path, open)), []);
  const onKey = useCallback(
    (event: React.KeyboardEvent, row: PathRow) => {
      if (row.children === 0 || (event.key !== "ArrowLeft" && event.key !== "ArrowRight")) return;
      event.preventDefault();
      toggle(row, event.key === "ArrowRight");
    },
    [toggle],
  );
  return { rows, selectedIndex, toggle, onKey };
}
