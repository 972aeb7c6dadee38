import { X } from "lucide-react";
import { useEffect, useSyncExternalStore } from "react";
import { Button, IconButton } from "./button";
import { Words } from "./words";

export interface Toast {
  id: number;
  message: string;
  tone?: "bad";
  action?: { label: string; run: () => void };
}

let toasts: Toast[] = [];
let nextId = 1;
const listeners = new Set<() => void>();

function change(next: Toast[]) {
  toasts = next;
  for (const listener of listeners) listener();
}

/** Says something at the edge of the page. One with an action stays longer. */
export function toast(message: string, options: Omit<Toast, "id" | "message"> = {}): void {
  change([...toasts.slice(-2), { id: nextId++, message, ...options }]);
}

const dismiss = (id: number) => change(toasts.filter((each) => each.id !== id));

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function Toasts() {
  const shown = useSyncExternalStore(subscribe, () => toasts);
  return (
    <div role="status" aria-live="polite" className="fixed right-3 bottom-14 z-50 flex w-[min(380px,calc(100vw-24px))] flex-col gap-2 sm:bottom-3">
      {shown.map((each) => (
        <ToastLine key={each.id} toast={each} />
      ))}
    </div>
  );
}

function ToastLine({ toast: { id, message, tone, action } }: { toast: Toast }) {
  useEffect(() => {
    const timer = setTimeout(() => dismiss(id), action ? 12_000 : 5_000);
    return () => clearTimeout(timer);
  }, [id, action]);
  return (
    <div className="flex items-center gap-2 rounded border border-line bg-panel py-1.5 pr-1.5 pl-3 shadow-pop">
      <span className={tone === "bad" ? "min-w-0 flex-1 break-words text-bad" : "min-w-0 flex-1 break-words"}>
        <Words text={message} />
      </span>
      {action && (
        <Button
          onClick={() => {
            action.run();
            dismiss(id);
          }}
        >
          {action.label}
        </Button>
      )}
      <IconButton label="Dismiss" onClick={() => dismiss(id)}>
        <X size={14} aria-hidden />
      </IconButton>
    </div>
  );
}
