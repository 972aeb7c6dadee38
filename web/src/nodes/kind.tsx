import { Bot, Box, Split, Wrench, type LucideIcon } from "lucide-react";

/** How a kind of node looks wherever one is shown. Mirrors `core/src/node/`. */
const kinds: Record<string, { icon: LucideIcon; label: string }> = {
  llm: { icon: Bot, label: "LLM" },
  tool: { icon: Wrench, label: "Tool" },
  router: { icon: Split, label: "Router" },
};

export function kindLabel(type: string): string {
  return kinds[type]?.label ?? type;
}

export function KindIcon({ type, size = 14, className }: { type: string; size?: number; className?: string }) {
  const Icon = kinds[type]?.icon ?? Box;
  return <Icon size={size} className={className} aria-hidden />;
}
