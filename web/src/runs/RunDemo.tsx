import { api } from "@/api/client";
import { inputsRead } from "@/api/document";
import { messageOf } from "@/api/problem";
import { workflowQuery, workflowsQuery } from "@/api/queries";
import { newKey } from "@/api/start";
import { buttonClass } from "@/ui/button";
import { toast } from "@/ui/toast";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";

/** The one useful action where nothing has run yet: run the first workflow, or make one. */
export function RunDemo({ className }: { className?: string }) {
  const { data: workflows } = useQuery(workflowsQuery);
  const client = useQueryClient();
  const navigate = useNavigate();
  // The demos are the oldest workflows of a data directory.
  const first = workflows?.toSorted((a, b) => a.created_at.localeCompare(b.created_at) || b.name.localeCompare(a.name))[0];
  const start = useMutation({
    mutationFn: async (id: string) => {
      const workflow = await client.fetchQuery(workflowQuery(id));
      if (inputsRead(workflow.graph_json).length > 0) return navigate({ to: "/workflows", search: { run: id } });
      const { runId } = await api.startRun(id, {}, newKey());
      return navigate({ to: "/runs/$id", params: { id: runId } });
    },
    onError: (error) => toast(messageOf(error), { tone: "bad" }),
  });
  if (!workflows) return null;
  if (!first) {
    return (
      <Link to="/workflows" className={buttonClass("primary")}>
        Create a workflow
      </Link>
    );
  }
  return (
    <>
      <button type="button" className={className} disabled={start.isPending} onClick={() => start.mutate(first.id)}>
        Run the demo
      </button>
      <Link to="/workflows" className={buttonClass()}>
        Choose a workflow
      </Link>
    </>
  );
}
