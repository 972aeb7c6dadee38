import { messageOf } from "@/api/problem";
import { workflowQuery } from "@/api/queries";
import { buttonClass } from "@/ui/button";
import { ErrorBanner, SkeletonRows } from "@/ui/feedback";
import { PageHeader } from "@/ui/page";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";

const route = getRouteApi("/workflows/$id/edit");

/** The workflow's document, to read. */
export function EditorPage() {
  const { id } = route.useParams();
  const { data: workflow, error, refetch } = useQuery(workflowQuery(id));
  return (
    <>
      <PageHeader title={workflow ? `${workflow.name} · version ${workflow.version}` : "Workflow"}>
        <Link to="/runs" search={{ workflow: id }} className={buttonClass()}>
          Runs
        </Link>
        <Link to="/workflows" search={{ run: id }} className={buttonClass("primary")}>
          Run
        </Link>
      </PageHeader>
      {error && <ErrorBanner message={messageOf(error)} onRetry={() => void refetch()} />}
      {workflow ? (
        <pre tabIndex={0} aria-label="Workflow document" className="min-h-0 flex-1 overflow-auto p-4 font-mono text-xs leading-5">
          {JSON.stringify(workflow.graph_json, null, 2)}
        </pre>
      ) : (
        !error && <SkeletonRows rows={12} height={28} />
      )}
    </>
  );
}
