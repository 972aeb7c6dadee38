import { defaultRangeExtractor, useVirtualizer, type Range } from "@tanstack/react-virtual";
import { useCallback, useEffect, useRef, type RefObject } from "react";

/**
 * Rows of one height, of which only those in view exist, with one active row that the keyboard moves. The active row stays in
 * the page even when it is scrolled away, so that the focus is never lost.
 */
export function useVirtualRows({
  count,
  height,
  scroll,
  active,
}: {
  count: number;
  height: number;
  scroll: RefObject<HTMLElement | null>;
  active: number;
}) {
  const pinned = useRef(active);
  useEffect(() => {
    pinned.current = active;
  }, [active]);
  const virtual = useVirtualizer({
    count,
    estimateSize: () => height,
    getScrollElement: () => scroll.current,
    overscan: 4,
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

  /** Scrolls to a row and gives it the focus once it is there. */
  const focusRow = useCallback(
    (index: number) => {
      virtual.scrollToIndex(index, { align: "auto" });
      let tries = 10;
      const focus = () => {
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
