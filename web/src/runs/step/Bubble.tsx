import { cx } from "@/ui/cx";
import type { ReactNode } from "react";

const roles: Record<string, { name: string; look: string }> = {
  system: { name: "System", look: "border-line bg-bg" },
  user: { name: "User", look: "border-line bg-raised" },
  tool: { name: "Tool", look: "border-line bg-bg" },
  assistant: { name: "Assistant", look: "border-accent/40 bg-panel" },
};

/** One message of a conversation. */
export function Bubble({ role, note, children }: { role: string; note?: string; children: ReactNode }) {
  const { name, look } = (Object.hasOwn(roles, role) ? roles[role] : undefined) ?? { name: role, look: "border-line bg-panel" };
  return (
    <article aria-label={name} className={cx("rounded border px-3 py-2", look)}>
      <h3 className="mb-0.5 flex items-baseline gap-2 text-xs text-muted">
        <span className="font-semibold">{name}</span>
        {note && <span className="num ml-auto">{note}</span>}
      </h3>
      {children}
    </article>
  );
}
