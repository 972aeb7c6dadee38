import type { TraceEvent } from "@/api/types";
import { count, duration, firstLine, plural, usd } from "@/ui/format";
import { errorText } from "./errorText";

type Fields = Record<string, unknown>;
const fields = (value: unknown): Fields => (typeof value === "object" && value !== null ? (value as Fields) : {});
const target = (value: unknown) => [fields(value).provider, fields(value).model].filter(Boolean).join(" ");
const failure = (value: unknown) => {
  const { code, message, status } = fields(value);
  return firstLine(errorText({ status: typeof status === "number" ? status : null, message: String(message ?? code ?? "") }));
};

/** One event of the journal in one line. */
export function summaryOf({ kind, payload }: TraceEvent): string {
  switch (kind) {
    case "run.started":
      return `by ${String(payload.triggered_by)}${payload.simulated ? ", simulated models" : ""}`;
    case "run.failed":
    case "step.failed":
      return failure(payload.error);
    case "run.cancel_requested":
      return `by ${String(payload.by)}`;
    case "llm.request":
      return `${target(payload)}, request ${String(payload.request)} attempt ${String(payload.attempt)}`;
    case "llm.response": {
      const usage = fields(payload.usage);
      const sum = (...names: string[]) => names.reduce((total, name) => total + (typeof usage[name] === "number" ? (usage[name] as number) : 0), 0);
      const tokens = payload.usage == null ? "usage unknown" : `${count(sum("input_uncached", "cache_read", "cache_write"))} in, ${count(sum("output"))} out`;
      const cost = payload.cost == null ? "cost unknown" : usd(fields(payload.cost).nanousd as number);
      return `${String(payload.answered_by ?? "")}: ${tokens}, ${cost}`;
    }
    case "tool.request":
      return `${String(payload.tool)}, attempt ${String(payload.attempt)}`;
    case "retry":
      return `attempt ${String(payload.attempt)} in ${duration(payload.after_ms as number)} after ${failure(payload.error)}`;
    case "fallback":
      return `${target(payload.from)} → ${target(payload.to)} after ${failure(payload.error)}`;
    case "cache.hit":
      return `${String(payload.answered_by ?? "")}${payload.saved_nanousd == null ? "" : `, saved ${usd(payload.saved_nanousd as number)}`}`;
    case "router.branch":
      return `→ ${String(payload.branch)}`;
    case "log":
      return `${String(payload.level)}: ${firstLine(String(payload.message ?? ""))}`;
    case "run.paused":
    case "run.resumed":
      return `by ${String(payload.by)}`;
    case "approval.requested":
      return `${payload.interrupted ? "about an interrupted call: " : ""}${firstLine(String(payload.message ?? ""))}`;
    case "approval.decided":
      return `${String(payload.decision)} by ${String(payload.by)}${payload.payload == null ? "" : ", edited"}${payload.reason ? `: ${firstLine(String(payload.reason))}` : ""}`;
    case "signal.received":
      return `${String(payload.name)} by ${String(payload.by)}`;
    case "llm.repair":
      return `request ${String(payload.request)} after ${failure(payload.error)}`;
    case "gate.checked":
      return payload.passed ? "passed" : `did not pass: ${firstLine(String(payload.reason ?? ""))}`;
    case "map.expanded":
      return plural(Number(payload.count), "item");
    case "map.item":
      return `item ${String(payload.index)}${payload.error == null ? "" : `: ${failure(payload.error)}`}`;
    case "loop.checked":
      return `${plural(Number(payload.done), "iteration")} done, ${payload.again ? "another one" : "the last"}`;
    case "step.reused": {
      const origin = fields(payload.origin);
      return origin.run ? `from run ${String(origin.run)}` : "";
    }
    case "child.started":
      return String(payload.name ?? "");
    case "undo.started":
      return `${plural(Number(payload.steps), "step")} to take back${payload.error == null ? "" : ` after ${failure(payload.error)}`}`;
    case "budget.exceeded":
      return `${String(payload.limit)}: ${String(payload.used)} of ${String(payload.allowed)}`;
    default:
      return "";
  }
}
