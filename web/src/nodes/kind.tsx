import { Bot, Box, BrainCircuit, FileSearch, GitFork, Hourglass, ListTree, Minus, Repeat2, ShieldCheck, Split, SquareCheck, UserCheck, Variable, Waypoints, Wrench, type LucideIcon } from "lucide-react";

/** How a kind of node looks wherever one is shown. Mirrors `core/src/node/`. A kind that is not here has its own word and a box. */
const kinds = new Map<string, { icon: LucideIcon; label: string }>(Object.entries({
  llm: { icon: Bot, label: "LLM" },
  tool: { icon: Wrench, label: "Tool" },
  router: { icon: Split, label: "Router" },
  map: { icon: ListTree, label: "Map" },
  loop: { icon: Repeat2, label: "Loop" },
  agent: { icon: BrainCircuit, label: "Agent" },
  approval: { icon: UserCheck, label: "Approval" },
  wait: { icon: Hourglass, label: "Wait" },
  set: { icon: Variable, label: "Set" },
  gate: { icon: ShieldCheck, label: "Gate" },
  workflow: { icon: GitFork, label: "Workflow" },
  // Kinds of spans.
  task: { icon: SquareCheck, label: "Task" },
  embedding: { icon: Waypoints, label: "Embedding" },
  retrieval: { icon: FileSearch, label: "Retrieval" },
  span: { icon: Minus, label: "Span" },
}));

export function kindLabel(type: string): string {
  return kinds.get(type)?.label ?? type;
}

export function KindIcon({ type, size = 14, className }: { type: string; size?: number; className?: string }) {
  const Icon = kinds.get(type)?.icon ?? Box;
  return <Icon size={size} className={className} aria-hidden />;
}

const text = (value: unknown) => (typeof value === "string" ? value.trim() : "");

/** What a step does, in the few words that fit on its card: the model, the tool, the rule. */
export function kindSummary(type: string, config: Record<string, unknown>): string {
  if (type === "tool") return text(config.tool) || (config.url === undefined ? "" : "http");
  const first = ["model", "rule", "check", "until", "while", "items", "workflow", "signal", "message"].map((name) => text(config[name])).find(Boolean);
  return first ?? "";
}
