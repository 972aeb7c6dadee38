import { TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "./button";
import { cx } from "./cx";
import { Words } from "./words";

/** A strip above what is there: it says what went wrong, and the old rows stay. */
export function ErrorBanner({ message, onRetry }: { message: string; onRetry?: () => void }) {
  return (
    <div role="alert" className="flex items-center gap-2 border-b border-line bg-bad-soft px-4 py-1.5 text-bad">
      <TriangleAlert size={14} className="shrink-0" aria-hidden />
      <span className="min-w-0 flex-1 break-words">
        <Words text={message} />
      </span>
      {onRetry && <Button onClick={onRetry}>Retry</Button>}
    </div>
  );
}

/** What to see where nothing is: a sentence, and the one useful next action. `page`: it stands for the whole page. */
export function EmptyState({ title, page, children, action }: { title: string; page?: boolean; children?: ReactNode; action?: ReactNode }) {
  const Heading = page ? "h1" : "h2";
  return (
    <div className="flex flex-col items-center gap-2 px-4 py-16 text-center">
      <Heading className="text-base font-semibold">{title}</Heading>
      {children && <p className="max-w-[52ch] text-muted">{typeof children === "string" ? <Words text={children} /> : children}</p>}
      {action && <div className="mt-2 flex flex-wrap justify-center gap-2">{action}</div>}
    </div>
  );
}

/** Grey rows of the height that the real ones will have, so that nothing jumps. */
export function SkeletonRows({ rows, height, label = "Loading" }: { rows: number; height: number; label?: string }) {
  return (
    <div role="status" aria-label={label} className="min-h-0 flex-1 overflow-hidden">
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className="flex items-center border-b border-line px-4" style={{ height }}>
          <div className="skeleton h-3" style={{ width: `${35 + ((row * 37) % 50)}%` }} />
        </div>
      ))}
    </div>
  );
}

export function Skeleton({ className }: { className?: string }) {
  return <div className={cx("skeleton", className)} />;
}
