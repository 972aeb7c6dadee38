import { KindIcon } from "@/nodes/kind";
import { cx } from "@/ui/cx";
import { Kbd } from "@/ui/kbd";
import { NothingFound, useSearchList } from "@/ui/searchList";
import type { RefObject } from "react";
import { useActions } from "./actions";

/** The steps that can be added. Typing narrows them; Enter, a click or a drag adds one. One stop for Tab. */
export function Palette({ input }: { input: RefObject<HTMLInputElement | null> }) {
  const { offers, add } = useActions();
  const search = useSearchList(
    offers.map((offer) => ({ ...offer, words: `${offer.type} ${offer.description}` })),
    (offer) => add(offer.key),
    { ranked: true },
  );
  return (
    <section aria-label="Add a step" className="flex max-h-[55%] shrink-0 flex-col border-b border-line">
      <div className="relative m-2">
        <input
          {...search.field}
          ref={input}
          aria-label="Add a step"
          placeholder="Add a step"
          onKeyDown={(event) => {
            if (event.key !== "Escape" || search.text === "") return search.field.onKeyDown(event);
            event.preventDefault();
            search.write("");
          }}
          className="h-7 w-full rounded border border-line-strong bg-panel pr-7 pl-2 text-sm placeholder:text-muted"
        />
        <span className="pointer-events-none absolute top-[5px] right-1.5" aria-hidden>
          <Kbd>/</Kbd>
        </span>
      </div>
      {/* The field steers it; a box that scrolls would be a stop of its own. */}
      <div {...search.list} aria-label="Steps to add" tabIndex={-1} className="min-h-0 overflow-y-auto px-1 pb-1">
        {search.found.map((offer, index) => (
          <div
            key={offer.key}
            {...search.option(index)}
            draggable
            title={`${offer.description} Click to add it after the selected step, or drag it onto the canvas.`}
            onDragStart={(event) => {
              event.dataTransfer.setData("application/x-flowtrace-step", offer.key);
              event.dataTransfer.effectAllowed = "copy";
            }}
            className={cx("flex h-7 cursor-grab items-center gap-2 rounded px-2 hover:bg-hover", index === search.current && search.typing && "bg-selected")}
          >
            <KindIcon type={offer.type} className="shrink-0 text-muted" />
            <span className="min-w-0 flex-1 truncate">{offer.label}</span>
            {offer.tool && <span className="text-xs text-muted">tool</span>}
          </div>
        ))}
        {search.found.length === 0 && <NothingFound text={search.text} className="px-2 py-2 text-xs" />}
      </div>
    </section>
  );
}
