import { api } from "@/api/client";
import { messageOf } from "@/api/problem";
import { keys, workflowsQuery } from "@/api/queries";
import type { WorkflowSummary } from "@/api/types";
import { Button } from "@/ui/button";
import { EmptyState, ErrorBanner } from "@/ui/feedback";
import { plural } from "@/ui/format";
import { PageHeader } from "@/ui/page";
import { useSteadyError } from "@/ui/steady";
import { Table } from "@/ui/table";
import { toast } from "@/ui/toast";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { FileUp, Plus } from "lucide-react";
import { useRef, useState } from "react";
import { CreateDialog } from "./CreateDialog";
import { RunDialog } from "./RunDialog";
import { useImport } from "./useImport";
import { COLUMNS, WorkflowRow } from "./WorkflowRow";

const route = getRouteApi("/workflows");

/** What can I run or edit? */
export function WorkflowsPage() {
  const { run: runId } = route.useSearch();
  const navigate = route.useNavigate();
  const query = useQuery({ ...workflowsQuery, refetchInterval: 10_000 });
  const error = useSteadyError(query);
  const [creating, setCreating] = useState(false);
  const file = useRef<HTMLInputElement>(null);
  const importFile = useImport();
  const remove = useDelete();

  const openRun = (id: string | undefined) => void navigate({ search: { run: id }, replace: id === undefined });
  return (
    <>
      <PageHeader title="Workflows">
        <span className="num hidden text-muted sm:inline" role="status">
          {query.data && plural(query.data.length, "workflow")}
        </span>
        <input
          ref={file}
          type="file"
          accept=".json,application/json"
          className="hidden"
          aria-hidden
          tabIndex={-1}
          data-testid="import-file"
          onChange={(event) => {
            const chosen = event.target.files?.[0];
            event.target.value = "";
            if (chosen) importFile.mutate(chosen);
          }}
        />
        <Button onClick={() => file.current?.click()} disabled={importFile.isPending}>
          <FileUp size={14} aria-hidden />
          Import<span className="hidden sm:inline"> JSON</span>
        </Button>
        <Button variant="primary" onClick={() => setCreating(true)}>
          <Plus size={14} aria-hidden />
          New<span className="sr-only sm:not-sr-only"> workflow</span>
        </Button>
      </PageHeader>
      {error && <ErrorBanner message={messageOf(error)} onRetry={() => void query.refetch()} />}
      <Table
        label="Workflows"
        columns={COLUMNS}
        rows={query.data}
        failed={error !== null}
        keyOf={(workflow) => workflow.id}
        height={44}
        empty={
          <EmptyState
            title="No workflow yet"
            action={
              <Button variant="primary" onClick={() => setCreating(true)}>
                New workflow
              </Button>
            }
          >
            A workflow is a JSON document: model calls, tools and routers, and the edges between them.
          </EmptyState>
        }
      >
        {(workflow, narrow) => <WorkflowRow workflow={workflow} narrow={narrow} onRun={() => openRun(workflow.id)} onDelete={() => remove.mutate(workflow)} />}
      </Table>
      {runId && <RunDialog workflow={runId} onClose={() => openRun(undefined)} />}
      {creating && <CreateDialog onClose={() => setCreating(false)} />}
    </>
  );
}

/** Deleting hides a workflow at once; undo brings it back. */
function useDelete() {
  const client = useQueryClient();
  const again = () => client.invalidateQueries({ queryKey: keys.workflows });
  const restore = useMutation({
    mutationFn: (workflow: WorkflowSummary) => api.restoreWorkflow(workflow.id),
    onSuccess: (_result, workflow) => toast(`“${workflow.name}” is back.`),
    onError: (error) => toast(messageOf(error), { tone: "bad" }),
    onSettled: again,
  });
  return useMutation({
    mutationFn: (workflow: WorkflowSummary) => api.deleteWorkflow(workflow.id),
    onSuccess: (_result, workflow) => {
      client.setQueryData(workflowsQuery.queryKey, (old) => old?.filter((each) => each.id !== workflow.id));
      toast(`“${workflow.name}” was deleted. Its runs stay.`, { action: { label: "Undo", run: () => restore.mutate(workflow) } });
    },
    onError: (error) => toast(messageOf(error), { tone: "bad" }),
    onSettled: again,
  });
}
