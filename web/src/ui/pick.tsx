import { useId, useState, type ReactNode } from "react";
import { cx } from "./cx";
import { Dialog } from "./dialog";

export interface PickItem {
  key: string;
  label: string;
  icon?: ReactNode;
  note?: string;
  /** Why it cannot be chosen. */
  refused?: string | null;
}

/** A dialog to choose one of many by typing a part of its name. What cannot be chosen says why. */
export function Pick({ title, items, onPick, onClose }: { title: string; items: readonly PickItem[]; onPick: (key: string) => void; onClose: () => void }) {
  const list = useId();
  const [text, setText] = useState("");
  const [active, setActive] = useState(0);
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = items.filter((item) => words.every((word) => `${item.label} ${item.key} ${item.note ?? ""}`.toLowerCase().includes(word)));
  const current = Math.min(active, found.length - 1);
  const choose = (item: PickItem | undefined) => {
    if (!item || item.refused) return;
    onClose();
    onPick(item.key);
  };
  return (
    <Dialog title={title} onClose={onClose} className="mt-[12vh]">
      <input
        role="combobox"
        aria-expanded
        aria-controls={list}
        aria-activedescendant={current >= 0 ? `${list}-${current}` : undefined}
        aria-label={title}
        placeholder="Type a name"
        autoFocus
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setActive(0);
        }}
        onKeyDown={(event) => {
          const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
          if (step) {
            event.preventDefault();
            const next = (current + step + found.length) % Math.max(1, found.length);
            setActive(next);
            document.getElementById(`${list}-${next}`)?.scrollIntoView({ block: "nearest" });
          } else if (event.key === "Enter") {
            event.preventDefault();
            choose(found[current]);
          }
        }}
        className="h-10 w-full border-b border-line bg-transparent px-4 text-base outline-none placeholder:text-muted"
      />
      <div id={list} role="listbox" aria-label="Choices" className="max-h-[46vh] overflow-y-auto py-1">
        {found.map((item, index) => (
          <div
            key={item.key}
            id={`${list}-${index}`}
            role="option"
            aria-selected={index === current}
            aria-disabled={item.refused ? true : undefined}
            onClick={() => choose(item)}
            onPointerMove={() => setActive(index)}
            className={cx("flex min-h-8 items-center gap-2 px-4 py-1", index === current && "bg-selected", item.refused ? "text-muted" : "cursor-pointer")}
          >
            {item.icon}
            <span className="min-w-0 truncate" dir="auto">
              {item.label}
            </span>
            <span className="ml-auto max-w-[60%] text-right text-xs text-muted">{item.refused ?? item.note}</span>
          </div>
        ))}
        {found.length === 0 && (
          <div role="option" aria-selected={false} aria-disabled className="px-4 py-6 text-center text-muted">
            {items.length === 0 ? "There is nothing to choose." : `Nothing matches “${text}”.`}
          </div>
        )}
      </div>
    </Dialog>
  );
}
