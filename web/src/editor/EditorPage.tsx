import { ApiProblem, messageOf } from "@/api/problem";
import { catalogQuery, schemaQuery } from "@/api/queries";
import { ErrorBanner, SkeletonRows } from "@/ui/feedback";
import { NotThere, PageHeader } from "@/ui/page";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { ReactFlowProvider } from "@xyflow/react";
import { useMemo } from "react";
import { OfferedContext } from "./context";
import { Editor } from "./Editor";
import { readLanguage } from "./language";
import { readSaved } from "./saver";

const route = getRouteApi("/workflows/$id/edit");

/** Build a workflow: what will it do, and is it valid? */
export function EditorPage() {
  const { id } = route.useParams();
  // Read once for each visit: from then on the editor knows better than the cache.
  const workflow = useQuery({ queryKey: ["editor", id], queryFn: ({ signal }) => readSaved(id, signal), staleTime: Infinity, gcTime: 0, refetchOnMount: "always" });
  const schema = useQuery(schemaQuery);
  const { data: catalog } = useQuery(catalogQuery);
  const offered = useMemo(() => (schema.data === undefined ? undefined : { language: readLanguage(schema.data), catalog }), [schema.data, catalog]);
  const error = workflow.error ?? schema.error;
  if (workflow.data && workflow.isFetchedAfterMount && offered) {
    return (
      <OfferedContext value={offered}>
        <ReactFlowProvider>
          <Editor key={id} id={id} loaded={workflow.data} />
        </ReactFlowProvider>
      </OfferedContext>
    );
  }
  if (error instanceof ApiProblem && error.status === 404) {
    return (
      <NotThere title="There is no such workflow" to="/workflows">
        {messageOf(error)}
      </NotThere>
    );
  }
  return (
    <>
      <PageHeader title="Workflow" />
      {error ? <ErrorBanner message={messageOf(error)} onRetry={() => void (workflow.error ? workflow.refetch() : schema.refetch())} /> : <SkeletonRows rows={12} height={28} />}
    </>
  );
}
