import type { ReactNode } from "react";

/** One part of the page, with an address of its own (`/settings#secrets`). */
export function Section({ title, note, children }: { title: string; note?: ReactNode; children: ReactNode }) {
  return (
    <section aria-label={title} id={anchorOf(title)} className="scroll-mt-4">
      <h2 className="text-base font-semibold">{title}</h2>
      {note && <div className="mb-2 max-w-[76ch] break-words text-muted">{note}</div>}
      {children}
    </section>
  );
}

export const anchorOf = (title: string) => title.toLowerCase().replace(/\s+/g, "-");
