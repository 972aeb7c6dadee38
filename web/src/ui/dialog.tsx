import { X } from "lucide-react";
import { useId, useLayoutEffect, useRef, type ReactNode } from "react";
import { IconButton } from "./button";
import { cx } from "./cx";

/**
 * A modal dialog: the browser's own, which keeps the focus inside, closes with Esc, and gives the focus back. (The one of
 * radix-ui writes a style element into the page, which the Content-Security-Policy forbids.)
 */
export function Dialog({
  title,
  hideTitle,
  onClose,
  className,
  children,
}: {
  title: string;
  hideTitle?: boolean;
  onClose: () => void;
  className?: string;
  children: ReactNode;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const heading = useId();
  // As a layout effect, so that it is closed before it is taken out of the page: only then the focus goes back.
  useLayoutEffect(() => {
    const dialog = ref.current;
    if (dialog && !dialog.open) dialog.showModal();
    // The browser has focused the first button, which closes it again; what is to be filled in comes first.
    content.current?.querySelector<HTMLElement>("input:not(:disabled), textarea:not(:disabled), select:not(:disabled), [type=submit]:enabled")?.focus();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={ref}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === ref.current) onClose();
      }}
      className={cx("w-[min(560px,calc(100vw-24px))] rounded-md border border-line bg-panel p-0 text-text shadow-pop", className)}
    >
      <header className={hideTitle ? "sr-only" : "flex items-center justify-between border-b border-line py-2 pr-2 pl-4"}>
        <h2 id={heading} className="text-base font-semibold">
          {title}
        </h2>
        {!hideTitle && (
          <IconButton label="Close" onClick={onClose}>
            <X size={16} aria-hidden />
          </IconButton>
        )}
      </header>
      <div ref={content}>{children}</div>
    </dialog>
  );
}
