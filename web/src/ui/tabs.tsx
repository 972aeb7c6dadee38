import { Tabs as Radix } from "radix-ui";
import { useEffect, useRef, type ReactNode } from "react";

/** Tabs whose state is the page's, so that it can live in the URL. Arrow keys move between them. */
export function Tabs<T extends string>({
  label,
  value,
  onChange,
  tabs,
  trailing,
  children,
}: {
  label: string;
  value: T;
  onChange: (next: T) => void;
  tabs: { value: T; label: ReactNode }[];
  trailing?: ReactNode;
  children: ReactNode;
}) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // Only sideways, and only where not all tabs have room.
    const box = list.current;
    const tab = box?.querySelector<HTMLElement>("[data-state=active]");
    if (!box || !tab || box.scrollWidth <= box.clientWidth) return;
    const [start, end] = [tab.offsetLeft - box.offsetLeft, tab.offsetLeft - box.offsetLeft + tab.offsetWidth];
    if (start < box.scrollLeft || end > box.scrollLeft + box.clientWidth) box.scrollLeft = start - (box.clientWidth - tab.offsetWidth) / 2;
  }, [value]);
  return (
    <Radix.Root value={value} onValueChange={(next) => onChange(next as T)} className="flex min-h-0 flex-1 flex-col">
      <div className="flex shrink-0 items-center border-b border-line bg-panel px-2">
        <Radix.List ref={list} aria-label={label} className="flex min-w-0 overflow-x-auto">
          {tabs.map((tab) => (
            <Radix.Trigger
              key={tab.value}
              value={tab.value}
              className="-mb-px h-8 border-b-2 border-transparent px-2.5 whitespace-nowrap text-muted hover:text-text data-[state=active]:border-accent data-[state=active]:font-medium data-[state=active]:text-text"
            >
              {tab.label}
            </Radix.Trigger>
          ))}
        </Radix.List>
        {trailing && <div className="ml-auto flex shrink-0 items-center gap-1">{trailing}</div>}
      </div>
      <Radix.Content value={value} tabIndex={-1} className="flex min-h-0 flex-1 flex-col outline-none">
        {children}
      </Radix.Content>
    </Radix.Root>
  );
}
