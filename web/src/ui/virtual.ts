import { defaultRangeExtractor, useVirtualizer, type Range, type Virtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useRef, useState, type RefObject } from "react";

/**
 * Rows of one height, of which only those in view exist, with one active row that the keyboard moves. The active row stays in
 * the page even when it is scrolled away, so that the focus is never lost.
 */
export function useVirtualRows({
  count,
  height,
  scroll,
  active,
  overscan = 4,
  onScrolled,
}: {
  count: number;
  height: number;
  scroll: RefObject<HTMLElement | null>;
  active: number;
  /** How many rows exist above and below those in view. */
  overscan?: number;
  /** Called when other rows come into view, with where the view begins and how high it is: asking the page for that costs. */
  onScrolled?: (offset: number, height: number) => void;
}) {
  const pinned = useRef(active);
  useEffect(() => {
    pinned.current = active;
  }, [active]);
  const virtual = useVirtualizer<HTMLElement, Element>({
    count,
    estimateSize: () => height,
    getScrollElement: () => scroll.current,
    overscan,
    // Rows that follow a live run move several times a second; between two moves they do not come to rest.
    isScrollingResetDelay: 400,
    onChange: onScrolled && ((virtual) => onScrolled(virtual.scrollOffset ?? 0, virtual.scrollRect?.height ?? 0)),
    // Rows may come a moment after the scroll; drawing in the middle of its event costs more.
    useFlushSync: false,
    rangeExtractor: useCallback((range: Range) => {
      const shown = defaultRangeExtractor(range);
      const pin = pinned.current;
      if (pin < 0 || pin >= range.count || shown.includes(pin)) return shown;
      return pin < (shown[0] ?? 0) ? [pin, ...shown] : [...shown, pin];
    }, []),
  });
  useEffect(() => virtual.measure(), [height, virtual]);

  const wanted = useRef(-1);
  /** Scrolls to a row and gives it the focus once it is there, unless by then another one is wanted. */
  const focusRow = useCallback(
    (index: number) => {
      virtual.scrollToIndex(index, { align: "auto" });
      wanted.current = index;
      let tries = 10;
      const focus = () => {
        if (wanted.current !== index) return;
        const row = scroll.current?.querySelector<HTMLElement>(`[data-row="${index}"]`);
        const target = row?.matches("a,button,[tabindex]") ? row : row?.querySelector<HTMLElement>("a,button");
        if (target) target.focus({ preventScroll: true });
        else if (tries-- > 0) requestAnimationFrame(focus);
      };
      requestAnimationFrame(focus);
    },
    [scroll, virtual],
  );
  return { virtual, focusRow };
}

/** A row in view: its index, where it stands, and the key of the elements that show it. */
export interface Placed {
  index: number;
  top: number;
  slot: number;
}

/**
 * The rows in view, each with a place whose elements it takes over from a row that left: changing words takes a fraction of
 * making elements anew. A row keeps its place while it is in view, so the focus stays where it is. While the rows move they
 * come in the order of their places, because moving elements about costs as well; at rest in the order in which they are read.
 */
export function usePlaced(virtual: Virtualizer<HTMLElement, Element>, keyOf: (index: number) => string): Placed[] {
  const [slots] = useState(() => new Slots());
  const items = virtual.getVirtualItems();
  const given = slots.assign(items.map((item) => keyOf(item.index)));
  const placed = items.map(({ index, start }, at) => ({ index, top: start, slot: given[at] ?? at }));
  return virtual.isScrolling ? placed.sort((a, b) => a.slot - b.slot) : placed;
}

export class Slots {
  private taken = new Map<string, number>();

  /** The same answer for the same rows, however often it is asked. */
  assign(rows: readonly string[]): number[] {
    const shown = new Set(rows);
    const free: number[] = [];
    for (const [row, slot] of this.taken) {
      if (shown.has(row)) continue;
      this.taken.delete(row);
      free.push(slot);
    }
    const used = new Set(this.taken.values());
    let next = 0;
    return rows.map((row) => {
      let slot = this.taken.get(row);
      if (slot === undefined) {
        slot = free.pop();
        while (slot === undefined) {
          if (!used.has(next)) slot = next;
          next += 1;
        }
        used.add(slot);
        this.taken.set(row, slot);
      }
      return slot;
    });
  }
}
