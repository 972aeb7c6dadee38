import { KindIcon } from "@/nodes/kind";
import { cx } from "@/ui/cx";
import { Kbd } from "@/ui/kbd";
import { useId, useState, type RefObject } from "react";
import { useActions } from "./actions";

/** The steps that can be added. Typing narrows them; Enter, a click or a drag adds one. One stop for Tab. */
export function Palette({ search }: { search: RefObject<HTMLInputElement | null> }) {
  const { offers, add } = useActions();
  const list = useId();
  const [text, setText] = useState("");
  const [active, setActive] = useState(0);
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = offers.filter((offer) => words.every((word) => `${offer.label} ${offer.type} ${offer.description}`.toLowerCase().includes(word)));
  // A name that starts as typed comes before one that has it somewhere in its description.
  const rank = (label: string) => (words.length > 0 && label.toLowerCase().startsWith(words[0] ?? "") ? 0 : 1);
  const shown = words.length > 0 ? found.toSorted((a, b) => rank(a.label) - rank(b.label)) : found;
  const current = Math.min(active, shown.length - 1);
  const choose = (index: number) => {
    const offer = shown[index];
    if (!offer) return;
    add(offer.key);
    setText("");
    setActive(0);
  };
  return (
    <section aria-label="Add a step" className="flex max-h-[55%] shrink-0 flex-col border-b border-line">
      <div className="relative m-2">
        <input
          ref={search}
          role="combobox"
          aria-expanded
          aria-controls={list}
          aria-activedescendant={current >= 0 ? `${list}-${current}` : undefined}
          aria-label="Add a step"
          placeholder="Add a step"
          spellCheck={false}
          autoComplete="off"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setActive(0);
          }}
          onKeyDown={(event) => {
            const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
            if (step) {
              event.preventDefault();
              const next = (current + step + shown.length) % Math.max(1, shown.length);
              setActive(next);
              document.getElementById(`${list}-${next}`)?.scrollIntoView({ block: "nearest" });
            } else if (event.key === "Enter") {
              event.preventDefault();
              choose(current);
            } else if (event.key === "Escape" && text !== "") {
              event.preventDefault();
              setText("");
            }
          }}
          className="h-7 w-full rounded border border-line-strong bg-panel pr-7 pl-2 text-sm placeholder:text-muted"
        />
        <span className="pointer-events-none absolute top-[5px] right-1.5" aria-hidden>
          <Kbd>/</Kbd>
        </span>
      </div>
      {/* The field steers it; a box that scrolls would be a stop of its own. */}
      <div id={list} role="listbox" aria-label="Steps to add" tabIndex={-1} className="min-h-0 overflow-y-auto px-1 pb-1">
        {shown.map((offer, index) => (
          <div
            key={offer.key}
            id={`${list}-${index}`}
            role="option"
            aria-selected={index === current}
            draggable
            title={`${offer.description} Click to add it after the selected step, or drag it onto the canvas.`}
            onDragStart={(event) => {
              event.dataTransfer.setData("application/x-flowtrace-step", offer.key);
              event.dataTransfer.effectAllowed = "copy";
            }}
            onClick={() => choose(index)}
            className={cx("flex h-7 cursor-grab items-center gap-2 rounded px-2 hover:bg-hover", index === current && words.length > 0 && "bg-selected")}
          >
            <KindIcon type={offer.type} className="shrink-0 text-muted" />
            <span className="min-w-0 flex-1 truncate">{offer.label}</span>
            {offer.tool && <span className="text-xs text-muted">tool</span>}
          </div>
        ))}
        {shown.length === 0 && (
          <div role="option" aria-selected={false} aria-disabled className="px-2 py-2 text-xs text-muted">
            Nothing matches “{text}”.
          </div>
        )}
      </div>
    </section>
  );
}
