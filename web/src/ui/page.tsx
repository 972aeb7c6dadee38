import { useEffect, type ReactNode } from "react";

/** The head of a page: its title (with `beside` next to it), and what can be done with all of it. Sets the document's title too. */
export function PageHeader({ title, beside, children }: { title: string; beside?: ReactNode; children?: ReactNode }) {
  useTitle(title);
  return (
    <header className="flex min-h-11 shrink-0 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line bg-panel px-4 py-1.5">
      <div className="mr-auto flex min-w-0 items-center gap-1">
        <h1 className="text-lg font-semibold">{title}</h1>
        {beside}
      </div>
      {children}
    </header>
  );
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · FlowTrace`;
  }, [title]);
}
