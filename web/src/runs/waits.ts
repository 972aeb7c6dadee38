import { placeOf } from "@/api/place";
import type { Graph, Step } from "@/api/types";

const inFlight = (step: Step) => step.status === "waiting" || step.status === "running";

/** Whether somebody is asked by the step and has not answered. */
export const asks = (step: Step) => inFlight(step) && step.question != null && step.question.decision == null;

/** The signal that the step waits for, if it does. */
export function signalOf(graph: Graph | undefined, step: Step): string | undefined {
  if (step.node_type !== "wait" || !inFlight(step) || !graph) return undefined;
  const signal = placeOf(graph, step.node_id)?.node.config?.signal;
  return typeof signal === "string" && signal !== "" ? signal : undefined;
}

/** Whether the step takes back what another one did: `book/undo`. */
export const undoes = (step: Pick<Step, "step_id">) => step.step_id.endsWith("/undo");
