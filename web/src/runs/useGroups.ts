import type { Step } from "@/api/types";
import { useCallback, useMemo, useState } from "react";
import { ancestors, pathRows, type PathRow } from "./rows";

export interface Groups {
  rows: PathRow[];
  /** Row of the step that is open; -1 if none is, or if its group is closed. */
  selectedIndex: number;
  /** Opens or closes a group. */
  toggle: (row: PathRow, open?: boolean) => void;
  /** The rows' keys: right opens, left closes. */
  onKey: (event: React.KeyboardEvent, row: PathRow) => void;
}

/** The rows of a run's steps. */
export function useGroups(steps: readonly Step[], selected: string | undefined, failedStep: string | null | undefined): Groups {
  const rowsOf = useCallback((chosen: Chosen) => pathRows(steps, chosen, [selected, failedStep]), [steps, selected, failedStep]);
  return useOpenRows(selected, ancestors, rowsOf);
}

/** Groups that were opened or closed by hand. */
export type Chosen = ReadonlyMap<string, boolean>;

/** Rows in groups that open and close. One that is selected from elsewhere opens what it stands in. `rowsOf` is the same as long as the rows are. */
export function useOpenRows(selected: string | undefined, above: (path: string) => string[], rowsOf: (chosen: Chosen) => PathRow[]): Groups {
  const [chosen, setChosen] = useState<Chosen>(new Map());
  const [before, setBefore] = useState(selected);
  if (selected !== before) {
    setBefore(selected);
    const hidden = selected ? above(selected).filter((path) => chosen.get(path) === false) : [];
    if (hidden.length > 0) setChosen(new Map([...chosen].filter(([path]) => !hidden.includes(path))));
  }
  const rows = useMemo(() => rowsOf(chosen), [rowsOf, chosen]);
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
