import { useId, useState, type KeyboardEvent, type ReactNode } from "react";
import { cx } from "./cx";

export interface SearchItem {
  key: string;
  label: string;
  /** What is found besides the label. */
  words?: string;
  /** Why it cannot be chosen. */
  refused?: string | null;
}

/**
 * A list that a text field narrows and steers: the field keeps the focus, the arrow keys go through the list, Enter chooses.
 * `ranked`: what begins as typed comes first. Of more than `most` only the first are shown.
 */
export function useSearchList<T extends SearchItem>(items: readonly T[], choose: (item: T) => void, { ranked = false, most = Infinity }: { ranked?: boolean; most?: number } = {}) {
  const id = useId();
  const [text, setText] = useState("");
  const [active, setActive] = useState(0);
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const matching = items.filter((item) => words.every((word) => `${item.label} ${item.words ?? ""}`.toLowerCase().includes(word)));
  const first = words[0];
  const rank = (item: T) => (first !== undefined && item.label.toLowerCase().startsWith(first) ? 0 : 1);
  const sorted = ranked && first !== undefined ? matching.toSorted((a, b) => rank(a) - rank(b)) : matching;
  const found = sorted.slice(0, most);
  const current = Math.min(active, found.length - 1);
  const write = (next: string) => {
    setText(next);
    setActive(0);
  };
  const pick = (index: number) => {
    const item = found[index];
    if (!item || item.refused) return;
    choose(item);
    write("");
  };
  return {
    text,
    write,
    found,
    /** How many more there are. */
    hidden: sorted.length - found.length,
    typing: first !== undefined,
    current,
    /** For the field. */
    field: {
      role: "combobox",
      "aria-expanded": true,
      "aria-controls": id,
      "aria-activedescendant": current >= 0 ? `${id}-${current}` : undefined,
      autoComplete: "off",
      spellCheck: false,
      value: text,
      onChange: (event: { target: { value: string } }) => write(event.target.value),
      onKeyDown: (event: KeyboardEvent) => {
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (step) {
          event.preventDefault();
          const next = (current + step + found.length) % Math.max(1, found.length);
          setActive(next);
          document.getElementById(`${id}-${next}`)?.scrollIntoView({ block: "nearest" });
        } else if (event.key === "Enter") {
          event.preventDefault();
          pick(current);
        }
      },
    },
    /** For the list. */
    list: { id, role: "listbox" },
    /** For one of its options. */
    option: (index: number) => ({
      id: `${id}-${index}`,
      role: "option",
      "aria-selected": index === current,
      "aria-disabled": found[index]?.refused ? true : undefined,
      onClick: () => pick(index),
    }),
    point: setActive,
  };
}

/** What stands in the list where nothing is found. */
export function NothingFound({ text, className, children }: { text: string; className?: string; children?: ReactNode }) {
  return (
    <div role="option" aria-selected={false} aria-disabled className={cx("text-muted", className)}>
      {children ?? `Nothing matches “${text}”.`}
    </div>
  );
}
