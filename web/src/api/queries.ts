import { infiniteQueryOptions, queryOptions, QueryClient } from "@tanstack/react-query";
import { api, type RunFilter } from "./client";
import { graphOf } from "./document";
import { ApiProblem } from "./problem";

/** What the pages read, each under one key. Mutations and live events invalidate by these keys. */
export const keys = {
  runs: (filter: RunFilter) => ["runs", filter] as const,
  run: (id: string) => ["run", id] as const,
  runSteps: (id: string) => ["run", id, "steps"] as const,
  step: (id: string, step: string) => ["run", id, "step", step] as const,
  runAt: (id: string, seq: number) => ["run", id, "at", seq] as const,
  approvals: ["approvals"] as const,
  workflows: ["workflows"] as const,
  workflow: (id: string) => ["workflow", id] as const,
};

export const runsQuery = (filter: RunFilter) =>
  infiniteQueryOptions({
    queryKey: keys.runs(filter),
    queryFn: ({ pageParam, signal }) => api.runs({ ...filter, limit: 100, cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });

export const workflowsQuery = queryOptions({
  queryKey: keys.workflows,
  queryFn: async ({ signal }) => {
    const all = [];
    let cursor: string | undefined;
    do {
      const page = await api.workflows(cursor, signal);
      all.push(...page.workflows);
      cursor = page.next_cursor ?? undefined;
    } while (cursor);
    return all;
  },
});

export const workflowQuery = (id: string) =>
  queryOptions({ queryKey: keys.workflow(id), queryFn: ({ signal }) => api.workflow(id, signal) });

/** The document that a run is pinned to never changes, whether it was saved or not. */
export const runGraphQuery = (run: string) =>
  queryOptions({
    queryKey: ["run", run, "graph"],
    queryFn: async ({ signal }) => graphOf((await api.runGraph(run, signal)).graph_json),
    staleTime: Infinity,
    structuralSharing: false,
  });

/** A version never changes, so it is read once. */
export const workflowVersionQuery = (id: string, version: number) =>
  queryOptions({
    queryKey: ["workflow", id, "version", version],
    queryFn: ({ signal }) => api.workflowVersion(id, version, signal),
    staleTime: Infinity,
  });

export const runQuery = (id: string) => queryOptions({ queryKey: keys.run(id), queryFn: ({ signal }) => api.run(id, signal) });

/** A run with all its steps as it was after one of its events. */
async function runAt(id: string, seq: number, signal: AbortSignal) {
  const run = await api.stateAt(id, seq, signal);
  const steps = [...run.steps];
  for (let cursor = run.next_steps_cursor; cursor; ) {
    const page = await api.steps(id, cursor, signal, seq);
    steps.push(...page.steps);
    cursor = page.next_cursor;
  }
  return { ...run, steps };
}

/** What a run was after one of its events never changes. */
export const runAtQuery = (id: string, seq: number) =>
  queryOptions({ queryKey: keys.runAt(id, seq), queryFn: ({ signal }) => runAt(id, seq, signal), staleTime: Infinity, gcTime: 60_000 });

export const approvalsQuery = (status: "open" | "decided") =>
  infiniteQueryOptions({
    queryKey: [...keys.approvals, status],
    queryFn: ({ pageParam, signal }) => api.approvals({ status, limit: 100, cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });

export const compareQuery = (a: string, b: string) =>
  infiniteQueryOptions({
    queryKey: ["compare", a, b],
    queryFn: ({ pageParam, signal }) => api.compare(a, b, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });

/** A model call of a trace beside the run that made it again. */
export const spanCompareQuery = (trace: string, span: string, run: string) =>
  queryOptions({ queryKey: ["compare-span", trace, span, run], queryFn: ({ signal }) => api.compareSpan(trace, span, run, signal) });

/** How many questions are open, for the badge. */
export const openApprovalsQuery = queryOptions({
  queryKey: [...keys.approvals, "count"],
  queryFn: async ({ signal }) => (await api.approvals({ status: "open", limit: 1 }, signal)).open,
});

/** The content under a hash never changes. */
export const blobQuery = (run: string, hash: string) =>
  queryOptions({
    queryKey: ["blob", run, hash],
    queryFn: ({ signal }) => api.blob(run, hash, signal),
    staleTime: Infinity,
    gcTime: 60_000,
  });

export const versionQuery = queryOptions({
  queryKey: ["version"],
  queryFn: ({ signal }) => api.version(signal),
  staleTime: 60_000,
});

export const catalogQuery = queryOptions({
  queryKey: ["catalog"],
  queryFn: ({ signal }) => api.catalog(signal),
  staleTime: 60_000,
});

/** The versions of a workflow. Under the key of the workflow, so that both are read again together. */
export const versionsQuery = (id: string) =>
  queryOptions({ queryKey: ["workflow", id, "versions"], queryFn: ({ signal }) => api.versions(id, signal) });

/** The language changes only with the binary. */
export const schemaQuery = queryOptions({ queryKey: ["schema"], queryFn: ({ signal }) => api.schema(signal), staleTime: Infinity });

export const bindingsQuery = queryOptions({ queryKey: ["bindings"], queryFn: ({ signal }) => api.bindings(signal) });

export const secretsQuery = queryOptions({ queryKey: ["secrets"], queryFn: ({ signal }) => api.secrets(signal) });

export const keysQuery = queryOptions({ queryKey: ["keys"], queryFn: ({ signal }) => api.keys(signal) });

export const retentionQuery = queryOptions({ queryKey: ["retention"], queryFn: ({ signal }) => api.retention(undefined, signal) });

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 2_000,
        // The server is next door: what it refuses, it will refuse again. Only silence is worth another try.
        retry: (count, error) => error instanceof ApiProblem && error.unreachable && count < 2,
        retryDelay: 600,
        // A loopback server needs no internet connection.
        networkMode: "always",
      },
      mutations: { networkMode: "always" },
    },
  });
}
