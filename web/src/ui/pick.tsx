import type { ReactNode } from "react";
import { cx } from "./cx";
import { Dialog } from "./dialog";
import { NothingFound, useSearchList, type SearchItem } from "./searchList";

export interface PickItem extends SearchItem {
  icon?: ReactNode;
  note?: string;
  /** Items of one group that follow one another get its name above them. */
  group?: string;
}

const SHOWN = 200;

/** A dialog to choose one of many by typing a part of its name. What cannot be chosen says why. */
export function Pick({
  title,
  hideTitle,
  label = title,
  placeholder = "Type a name",
  items,
  most = SHOWN,
  onPick,
  onClose,
}: {
  title: string;
  hideTitle?: boolean;
  /** Of the field. */
  label?: string;
  placeholder?: string;
  items: readonly PickItem[];
  most?: number;
  onPick: (key: string) => void;
  onClose: () => void;
}) {
  const search = useSearchList(
    items,
    ({ key }) => {
      onClose();
      onPick(key);
    },
    { most },
  );
  const { found } = search;
  return (
    <Dialog title={title} hideTitle={hideTitle} onClose={onClose} className="mt-[12vh]">
      <input {...search.field} aria-label={label} placeholder={placeholder} autoFocus className="h-11 w-full border-b border-line bg-transparent px-4 text-base outline-none placeholder:text-muted" />
      <div {...search.list} aria-label={items.some((item) => item.group !== undefined) ? "Results" : "Choices"} className="max-h-[46vh] overflow-y-auto py-1">
        {found.map((item, index) => (
          <div key={item.key} role="presentation">
            {item.group !== undefined && item.group !== found[index - 1]?.group && (
              <div role="presentation" className="px-4 pt-2 pb-0.5 text-xs text-muted">
                {item.group}
              </div>
            )}
            <div
              {...search.option(index)}
              onPointerMove={() => search.point(index)}
              className={cx("flex min-h-7 items-center gap-2 px-4 py-0.5", index === search.current && "bg-selected", item.refused ? "text-muted" : "cursor-pointer")}
            >
              {item.icon}
              <span className="min-w-0 truncate" dir="auto">
                {item.label}
              </span>
              <span className="ml-auto max-w-[60%] text-right text-xs text-muted">{item.refused ?? item.note}</span>
            </div>
          </div>
        ))}
        {search.hidden > 0 && <div role="presentation" className="px-4 py-1 text-xs text-muted">{search.hidden} more: type to narrow them.</div>}
        {found.length === 0 && (
          <NothingFound text={search.text} className="px-4 py-6 text-center">
            {items.length === 0 ? "There is nothing to choose." : undefined}
          </NothingFound>
        )}
      </div>
    </Dialog>
  );
}
