import { api } from "@/api/client";
import { messageOf } from "@/api/problem";
import { keys, workflowsQuery } from "@/api/queries";
import type { WorkflowSummary } from "@/api/types";
import { Button } from "@/ui/button";
import { EmptyState, ErrorBanner, SkeletonRows } from "@/ui/feedback";
import { plural } from "@/ui/format";
import { useHotkeys } from "@/ui/hotkeys";
import { useNarrow } from "@/ui/media";
import { PageHeader } from "@/ui/page";
import { toast } from "@/ui/toast";
import { useVirtualRows } from "@/ui/virtual";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { FileUp, Plus } from "lucide-react";
import { useRef, useState } from "react";
import { CreateDialog } from "./CreateDialog";
import { RunDialog } from "./RunDialog";
import { useImport } from "./useImport";
import { WORKFLOWS_GRID, WorkflowRow } from "./WorkflowRow";

const route = getRouteApi("/workflows");

/** What can I run or edit? */
export function WorkflowsPage() {
  const { run: runId } = route.useSearch();
  const navigate = route.useNavigate();
  const query = useQuery({ ...workflowsQuery, refetchInterval: 10_000 });
  const rows = query.data ?? [];
  const [creating, setCreating] = useState(false);
  const file = useRef<HTMLInputElement>(null);
  const importFile = useImport();
  const remove = useDelete();

  const narrow = useNarrow();
  const height = narrow ? 64 : 44;
  const scroll = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(-1);
  const { virtual, focusRow } = useVirtualRows({ count: rows.length, height, scroll, active });
  const move = (by: number) => {
    if (rows.length === 0) return;
    const next = Math.min(rows.length - 1, Math.max(0, active + by));
    setActive(next);
    focusRow(next);
  };
  useHotkeys({ j: () => move(1), ArrowDown: () => move(1), k: () => move(-1), ArrowUp: () => move(-1) });

  const openRun = (id: string | undefined) => void navigate({ search: { run: id }, replace: id === undefined });
  return (
    <>
      <PageHeader title="Workflows">
        <span className="num hidden text-muted sm:inline" role="status">
          {query.data && plural(rows.length, "workflow")}
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
          Import JSON
        </Button>
        <Button variant="primary" onClick={() => setCreating(true)}>
          <Plus size={14} aria-hidden />
          New workflow
        </Button>
      </PageHeader>
      {query.error && <ErrorBanner message={messageOf(query.error)} onRetry={() => void query.refetch()} />}
      {!query.data ? (
        !query.error && <SkeletonRows rows={8} height={height} label="Loading the workflows" />
      ) : rows.length === 0 ? (
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
      ) : (
        <div ref={scroll} className="min-h-0 flex-1 overflow-auto" tabIndex={-1}>
          <div role="table" aria-label="Workflows" aria-rowcount={rows.length + 1}>
            <div role="row" aria-rowindex={1} className={narrow ? "sr-only" : `${WORKFLOWS_GRID} sticky top-0 z-10 h-7 border-b border-line bg-bg text-xs text-muted`}>
              {["Name", "Latest runs"].map((name) => (
                <div key={name} role="columnheader">
                  {name}
                </div>
              ))}
              {["p50", "p99", "Cost per run"].map((name) => (
                <div key={name} role="columnheader" className="text-right">
                  {name}
                </div>
              ))}
              <div role="columnheader">Changed</div>
              <div role="columnheader">
                <span className="sr-only">Actions</span>
              </div>
            </div>
            <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
              {virtual.getVirtualItems().map((item) => {
                const workflow = rows[item.index];
                return (
                  workflow && (
                    <WorkflowRow
                      key={workflow.id}
                      workflow={workflow}
                      index={item.index}
                      top={item.start}
                      height={height}
                      narrow={narrow}
                      onFocus={() => setActive(item.index)}
                      onRun={() => openRun(workflow.id)}
                      onDelete={() => remove.mutate(workflow)}
                    />
                  )
                );
              })}
            </div>
          </div>
        </div>
      )}
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
