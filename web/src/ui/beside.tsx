import { useEffect, useRef, type ReactNode } from "react";
import { cx } from "./cx";

/**
 * What is open beside the rows. Where there is no room `beside` them it covers them, and then it takes the focus: what has it otherwise
 * lies under it.
 */
export function Beside({ label, beside, className, children }: { label: string; beside: boolean; className: string; children: ReactNode }) {
  const box = useRef<HTMLElement>(null);
  useEffect(() => {
    if (!beside && !box.current?.contains(document.activeElement)) box.current?.focus({ preventScroll: true });
  }, [beside]);
  return (
    <aside ref={box} aria-label={label} tabIndex={-1} className={cx("fixed inset-0 z-20 flex min-w-0 flex-col border-l border-line bg-panel outline-none lg:static lg:z-auto", className)}>
      {children}
    </aside>
  );
}
