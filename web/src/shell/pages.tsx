import { ApiProblem, messageOf } from "@/api/problem";
import { Button, buttonClass } from "@/ui/button";
import { EmptyState } from "@/ui/feedback";
import { NotThere, useTitle } from "@/ui/page";
import { useQueryErrorResetBoundary } from "@tanstack/react-query";
import { Link, useRouter, type ErrorComponentProps } from "@tanstack/react-router";

export function NotFound() {
  useTitle("Not found");
  return (
    <NotThere title="There is no such page" to="/runs">
      The address may be mistyped, or what it named was deleted.
    </NotThere>
  );
}

/** What a page shows in its place when it cannot be shown: gone, unreachable, or broken. */
export function PageError({ error, retry }: { error: unknown; retry: () => void }) {
  const problem = error instanceof ApiProblem ? error : undefined;
  const title = problem?.unreachable ? "The server does not answer" : problem?.status === 404 ? "Not found" : "This page could not be shown";
  useTitle(title);
  return (
    <div role="alert">
      <EmptyState
        page
        title={title}
        action={
          <>
            <Button variant="primary" onClick={retry}>
              Try again
            </Button>
            <Link to="/runs" className={buttonClass()}>
              Go to the runs
            </Link>
          </>
        }
      >
        {problem?.unreachable ? "This page fills itself as soon as the server is back." : messageOf(error)}
      </EmptyState>
    </div>
  );
}

export function RouteError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const queries = useQueryErrorResetBoundary();
  return (
    <PageError
      error={error}
      retry={() => {
        queries.reset();
        reset();
        void router.invalidate();
      }}
    />
  );
}
