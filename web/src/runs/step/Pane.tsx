import { KindIcon, kindLabel } from "@/nodes/kind";
import { IconButton } from "@/ui/button";
import { CopyButton } from "@/ui/copy";
import { Status, type AnyStatus } from "@/ui/status";
import { Tabs } from "@/ui/tabs";
import { X } from "lucide-react";
import type { ReactNode } from "react";

/** The head of what is open beside the rows: what it is, what can be done with it, and in the second line what it came to. */
export function PaneHead({ what, kind, name, status, before, links, onClose, children }: { what: string; kind: string; name: string; status: AnyStatus; before?: ReactNode; links?: ReactNode; onClose: () => void; children: ReactNode }) {
  return (
    <header className="shrink-0 px-4 pt-2 pb-1.5">
      <div className="flex items-center gap-2">
        <KindIcon type={kind} className="shrink-0 text-muted" />
        <h2 className="min-w-0 truncate text-base font-semibold" title={name} dir="auto">
          {name}
        </h2>
        <Status status={status} />
        <span className="ml-auto flex shrink-0 items-center gap-1">
          {before}
          <span className="hidden sm:contents">
            <CopyButton text={() => location.href}>Copy link</CopyButton>
            {links}
          </span>
          <IconButton label={`Close the ${what} (Esc)`} onClick={onClose}>
            <X size={16} aria-hidden />
          </IconButton>
        </span>
      </div>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-muted">
        <span>{kindLabel(kind)}</span>
        {children}
      </div>
    </header>
  );
}

/** Its parts, of which one is shown and scrolls. */
export function PaneTabs<T extends string>({ label, tabs, words, current, onTab, children }: { label: string; tabs: readonly T[]; words: Record<T, string>; current: T; onTab: (tab: T) => void; children: ReactNode }) {
  return (
    <Tabs label={label} value={current} onChange={onTab} tabs={tabs.map((value) => ({ value, label: words[value] }))}>
      <div className="min-h-0 flex-1 overflow-y-auto px-4 py-3" tabIndex={0} role="region" aria-label={words[current]}>
        {children}
      </div>
    </Tabs>
  );
}
