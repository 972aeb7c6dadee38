import { messageOf } from "@/api/problem";
import { newKey, useStartRun } from "@/api/start";
import type { Run } from "@/api/types";
import { toast } from "@/ui/toast";
import { useNavigate } from "@tanstack/react-router";

/** The same workflow with the same input; `reason` says why that is not possible. */
export function useRunAgain(run: Run) {
  const navigate = useNavigate();
  const start = useStartRun();
  const reason = !run.workflow_id
    ? "This document was run without being saved as a workflow"
    : run.input_truncated
      ? "The input is too large to be sent from here"
      : null;
  return {
    reason,
    pending: start.isPending,
    start: () => {
      if (!run.workflow_id || reason) return;
      const input = typeof run.input === "object" && run.input !== null ? (run.input as Record<string, unknown>) : {};
      start.mutate(
        { workflow: run.workflow_id, input, key: newKey() },
        {
          onSuccess: (id) => void navigate({ to: "/runs/$id", params: { id } }),
          onError: (error) => toast(messageOf(error), { tone: "bad" }),
        },
      );
    },
  };
}
