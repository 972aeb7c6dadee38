import type { Step } from "@/api/types";
import type { Attempt } from "../attempts";
import { curlOfHttp, curlOfModelCall } from "../curl";
import type { StepCall } from "./useCall";

/** The step's last request as a command line, where it was one that a command line can make. */
export function stepCurl(step: Step, call: StepCall | undefined, attempts: Attempt[]): string | null {
  if (!call) return null;
  const last = attempts.at(-1);
  if (step.node_type === "llm") return curlOfModelCall(call, { provider: last?.provider ?? call.target?.provider, model: last?.model ?? call.target?.model });
  return last?.tool === "http" ? curlOfHttp(call) : null;
}
