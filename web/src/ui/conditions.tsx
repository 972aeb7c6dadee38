import { X } from "lucide-react";
import { Button } from "./button";

/** Something that the rows of a list have to be. */
export interface Condition {
  id: string;
  label: string;
  value: string;
  onRemove: () => void;
}

/** What narrows a list, each with the way to take it away. Nothing where nothing does. */
export function Conditions({ all, onClear }: { all: readonly Condition[]; onClear?: () => void }) {
  if (all.length === 0) return null;
  return (
    <ul aria-label="Conditions" className="flex max-h-24 min-w-0 flex-wrap items-center gap-1.5 overflow-y-auto">
      {all.map(({ id, label, value, onRemove }) => (
        <li key={id} className="flex h-6 max-w-full min-w-0 items-center rounded border border-line bg-raised pl-2 text-xs">
          <span className="shrink-0 text-muted">{label}&nbsp;</span>
          <span className="min-w-0 truncate font-medium" title={value} dir="auto">
            {value}
          </span>
          <button type="button" aria-label={`Remove ${label} ${value}`} title="Remove this condition" onClick={onRemove} className="ml-0.5 inline-flex size-6 shrink-0 items-center justify-center rounded text-muted hover:bg-hover hover:text-text">
            <X size={12} aria-hidden />
          </button>
        </li>
      ))}
      {onClear && (
        <li>
          <Button variant="ghost" className="!h-6" onClick={onClear}>
            Clear
          </Button>
        </li>
      )}
    </ul>
  );
}
