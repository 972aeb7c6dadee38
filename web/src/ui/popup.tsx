import { useEffect, useLayoutEffect, useRef, type ReactNode } from "react";
import { cx } from "./cx";

export interface PopupItem {
  key: string;
  label: ReactNode;
  note?: ReactNode;
  disabled?: boolean;
}

/** A list of choices beside a field that keeps the focus; above everything else, so that no scrolling box cuts it off. */
export function Popup({
  id,
  label,
  anchor,
  items,
  active,
  onPick,
  onActive,
}: {
  id: string;
  label: string;
  /** Where the field, or the caret in it, is on the screen. */
  anchor: () => { left: number; top: number; bottom: number; width?: number };
  items: readonly PopupItem[];
  active: number;
  onPick: (index: number) => void;
  onActive: (index: number) => void;
}) {
  const ref = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const list = ref.current;
    if (!list) return;
    if (!list.matches(":popover-open")) list.showPopover();
    const { left, top, bottom, width } = anchor();
    const height = list.offsetHeight;
    const below = bottom + 4 + height <= innerHeight || top < height;
    list.style.left = `${Math.max(8, Math.min(left, innerWidth - list.offsetWidth - 8))}px`;
    list.style.top = `${below ? bottom + 4 : top - height - 4}px`;
    if (width) list.style.minWidth = `${width}px`;
  });
  useEffect(() => {
    ref.current?.children[active]?.scrollIntoView({ block: "nearest" });
  }, [active]);
  return (
    <div
      ref={ref}
      id={id}
      role="listbox"
      aria-label={label}
      popover="manual"
      // The field keeps the focus.
      onPointerDown={(event) => event.preventDefault()}
      className="fixed m-0 max-h-64 w-max max-w-[min(420px,94vw)] overflow-y-auto rounded border border-line bg-panel py-1 text-text shadow-pop"
    >
      {items.map((item, index) => (
        <div
          key={item.key}
          id={`${id}-${index}`}
          role="option"
          aria-selected={index === active}
          aria-disabled={item.disabled || undefined}
          onClick={() => !item.disabled && onPick(index)}
          onPointerMove={() => onActive(index)}
          className={cx("flex min-h-7 items-center gap-4 px-2.5", item.disabled ? "text-muted" : "cursor-pointer", index === active && "bg-selected")}
        >
          <span className="min-w-0 flex-1 truncate">{item.label}</span>
          {item.note && <span className="num shrink-0 text-xs text-muted">{item.note}</span>}
        </div>
      ))}
    </div>
  );
}

/** The keys of a list beside a field. Returns whether the key was one. */
export function popupKey(event: React.KeyboardEvent, count: number, active: number, setActive: (index: number) => void, pick: (index: number) => void, close: () => void): boolean {
  if (count === 0) return false;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") setActive((active + (event.key === "ArrowDown" ? 1 : -1) + count) % count);
  else if (event.key === "Enter" || event.key === "Tab") pick(active);
  else if (event.key === "Escape") close();
  else return false;
  event.preventDefault();
  event.stopPropagation();
  return true;
}
