import { Link } from "@tanstack/react-router";
import { ChevronRight } from "lucide-react";
import { useEffect, type ComponentProps, type ReactNode } from "react";
import { buttonClass } from "./button";
import { cx } from "./cx";
import { EmptyState } from "./feedback";

/** The lists that pages are reached from. */
type List = "/runs" | "/traces" | "/sessions" | "/workflows";

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

/** Where a page is: the list that it is from, and its title. */
export function Crumbs({ to, list, className, ...title }: { to: List; list: string } & ComponentProps<"h1">) {
  return (
    <nav aria-label="Breadcrumb" className="flex max-w-full min-w-0 items-center gap-1">
      <Link to={to} className="text-muted hover:text-text hover:underline">
        {list}
      </Link>
      <ChevronRight size={14} className="shrink-0 text-muted" aria-hidden />
      <h1 className={cx("min-w-0 text-lg font-semibold", className)} {...title} />
    </nav>
  );
}

/** A page about something that does not exist, and the way to what does. */
export function NotThere({ title, to, children }: { title: string; to: List; children: ReactNode }) {
  return (
    <EmptyState
      page
      title={title}
      action={
        <Link to={to} className={buttonClass("primary")}>
          Go to the {to.slice(1)}
        </Link>
      }
    >
      {children}
    </EmptyState>
  );
}

/** A number of a page's head under its name. */
export function Fact({ name, title, children }: { name: string; title?: string; children: ReactNode }) {
  return (
    <div className="flex min-w-0 items-baseline gap-1.5" title={title}>
      <dt className="shrink-0 text-xs text-muted">{name}</dt>
      <dd className="num min-w-0 font-medium break-words !whitespace-normal">{children}</dd>
    </div>
  );
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · FlowTrace`;
  }, [title]);
}
