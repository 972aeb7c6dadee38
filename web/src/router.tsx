import { NotFound, RouteError } from "@/shell/pages";
import { Shell } from "@/shell/Shell";
import { SkeletonRows } from "@/ui/feedback";
import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from "@tanstack/react-router";
import { approvalsSearch } from "./approvals/search";
import { compareSearch } from "./compare/search";
import { editorSearch } from "./editor/search";
import { runSearch, runsSearch } from "./runs/search";
import { sessionsSearch, traceSearch, tracesSearch } from "./traces/search";
import { workflowsSearch } from "./workflows/search";

// Every page is a chunk of its own; what a page needs from the URL is checked by its `search.ts`.

const root = createRootRouteWithContext<{ queryClient: QueryClient }>()({ component: Shell, notFoundComponent: NotFound });

const index = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/runs", replace: true });
  },
});

const runs = createRoute({
  getParentRoute: () => root,
  path: "/runs",
  validateSearch: runsSearch,
  component: lazyRouteComponent(() => import("./runs/RunsPage"), "RunsPage"),
});

const run = createRoute({
  getParentRoute: () => root,
  path: "/runs/$id",
  validateSearch: runSearch,
  component: lazyRouteComponent(() => import("./runs/RunPage"), "RunPage"),
});

const traces = createRoute({
  getParentRoute: () => root,
  path: "/traces",
  validateSearch: tracesSearch,
  component: lazyRouteComponent(() => import("./traces/TracesPage"), "TracesPage"),
});

const trace = createRoute({
  getParentRoute: () => root,
  path: "/traces/$id",
  validateSearch: traceSearch,
  component: lazyRouteComponent(() => import("./traces/TracePage"), "TracePage"),
});

const sessions = createRoute({
  getParentRoute: () => root,
  path: "/sessions",
  validateSearch: sessionsSearch,
  component: lazyRouteComponent(() => import("./traces/SessionsPage"), "SessionsPage"),
});

const session = createRoute({
  getParentRoute: () => root,
  path: "/sessions/$id",
  component: lazyRouteComponent(() => import("./traces/SessionPage"), "SessionPage"),
});

const workflows = createRoute({
  getParentRoute: () => root,
  path: "/workflows",
  validateSearch: workflowsSearch,
  component: lazyRouteComponent(() => import("./workflows/WorkflowsPage"), "WorkflowsPage"),
});

const editor = createRoute({
  getParentRoute: () => root,
  path: "/workflows/$id/edit",
  validateSearch: editorSearch,
  component: lazyRouteComponent(() => import("./editor/EditorPage"), "EditorPage"),
});

const approvals = createRoute({
  getParentRoute: () => root,
  path: "/approvals",
  validateSearch: approvalsSearch,
  component: lazyRouteComponent(() => import("./approvals/ApprovalsPage"), "ApprovalsPage"),
});

const compare = createRoute({
  getParentRoute: () => root,
  path: "/compare",
  validateSearch: compareSearch,
  component: lazyRouteComponent(() => import("./compare/ComparePage"), "ComparePage"),
});

const settings = createRoute({
  getParentRoute: () => root,
  path: "/settings",
  component: lazyRouteComponent(() => import("./settings/SettingsPage"), "SettingsPage"),
});

export function createAppRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree: root.addChildren([index, runs, run, traces, trace, sessions, session, workflows, editor, approvals, compare, settings]),
    context: { queryClient },
    defaultPreload: "intent",
    defaultErrorComponent: RouteError,
    defaultPendingComponent: () => <SkeletonRows rows={12} height={36} />,
    scrollRestoration: true,
    // Plain `?step=a&view=log`: the values are strings, whatever they look like.
    parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
    stringifySearch: (search) => {
      const pairs = Object.entries(search).filter(([, value]) => value !== undefined && value !== null);
      const text = new URLSearchParams(pairs.map(([name, value]) => [name, String(value)])).toString();
      return text && `?${text}`;
    },
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
