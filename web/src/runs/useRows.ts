import { useHotkeys } from "@/ui/hotkeys";
import { usePlaced, useVirtualRows } from "@/ui/virtual";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { deepestOf } from "./rows";
import type { Groups } from "./useGroups";

/** What the views of a run share. */
export interface ViewProps {
  selected: string | undefined;
  onSelect: (step: string | undefined) => void;
}

/** Height of a row that stands in groups, in pixels. */
export const GROUPED_ROW = 28;

/** Rows in groups: the rows of {@link useRows} with their places, and how they are indented. */
export function useGroupedRows({ rows, selectedIndex }: Pick<Groups, "rows" | "selectedIndex">, live: boolean, onSelect: ViewProps["onSelect"]) {
  const shown = useRows({ count: rows.length, height: GROUPED_ROW, live, selectedIndex, onMove: (index) => rows[index]?.step && onSelect(rows[index].path) });
  const placed = usePlaced(shown.virtual, (index) => rows[index]?.path ?? "");
  const nested = rows.some((row) => row.children > 0);
  const deepest = useMemo(() => deepestOf(rows), [rows]);
  return { ...shown, placed, nested, deepest };
}

/**
 * Rows that the keyboard moves over (j, k, arrows; Enter opens) and that follow a live run until the reader scrolls away from
 * the end. While a step is open, moving opens the next one.
 */
export function useRows({
  count,
  height,
  live,
  selectedIndex,
  onMove,
}: {
  count: number;
  height: number;
  live: boolean;
  /** -1 if nothing of the list is open. */
  selectedIndex: number;
  onMove: (index: number) => void;
}) {
  const scroll = useRef<HTMLDivElement>(null);
  const [focused, setFocused] = useState(-1);
  const active = focused >= 0 && focused < count ? focused : selectedIndex;
  const following = useRef(true);
  const lastOffset = useRef(0);
  const { virtual, focusRow } = useVirtualRows({
    count,
    height,
    scroll,
    active,
    onScrolled: (offset, view) => {
      // Rows that come move the end away, but only a reader moves back.
      if (offset < lastOffset.current) following.current = false;
      if (count * height - offset - view < 2 * height) following.current = true;
      lastOffset.current = offset;
    },
  });

  const move = (by: number) => {
    if (count === 0) return;
    const from = selectedIndex >= 0 && focused < 0 ? selectedIndex : active;
    const next = Math.min(count - 1, Math.max(0, from + by));
    setFocused(next);
    focusRow(next);
    if (selectedIndex >= 0) onMove(next);
  };
  useHotkeys({ j: () => move(1), ArrowDown: () => move(1), k: () => move(-1), ArrowUp: () => move(-1) });

  // What opens from elsewhere (a link, the next-error key, the graph) comes into view.
  const shown = useRef(-1);
  useEffect(() => {
    if (selectedIndex >= 0 && selectedIndex !== shown.current) {
      const { startIndex, endIndex } = virtual.range ?? { startIndex: 0, endIndex: 0 };
      // With what is around it, unless the keyboard moves from row to row.
      const far = focused !== selectedIndex && (selectedIndex <= startIndex || selectedIndex >= endIndex);
      virtual.scrollToIndex(selectedIndex, { align: far ? "center" : "auto" });
    }
    shown.current = selectedIndex;
  }, [selectedIndex, focused, virtual]);

  useLayoutEffect(() => {
    // Further than the end is the end; asking where that is would make the browser lay out at once.
    if (live && following.current && selectedIndex < 0 && scroll.current) scroll.current.scrollTop = count * height;
  }, [count, height, live, selectedIndex]);

  return { scroll, virtual, active, onFocusRow: setFocused };
}
