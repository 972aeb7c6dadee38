import { cx } from "@/ui/cx";
import type { ReactNode } from "react";

interface Made {
  workflow_id?: string | null;
  workflow_version?: number | null;
  edited_version?: number | null;
}

/** Of which workflow a run is, in words: `Notes`, `a document that was not saved`. */
export const workflowName = ({ workflow_id }: Made, name: string | undefined): string => name ?? workflow_id ?? "Unsaved document";

/** Whether the run's document was edited for it alone, as a replay with edits does. */
const isEdited = ({ workflow_id, workflow_version }: Made) => workflow_id != null && workflow_version == null;

/** The workflow of a run and its version; of a run of an edited document, what it was edited from. */
export function WorkflowName({ run, name, className, children }: { run: Made; name: string | undefined; className?: string; children?: (name: ReactNode) => ReactNode }) {
  const shown = <span className={cx("truncate", className)}>{workflowName(run, name)}</span>;
  const version = run.workflow_version ?? run.edited_version;
  return (
    <>
      {isEdited(run) && (
        <span className="shrink-0 font-normal text-muted" title="The document was edited for this run alone; the workflow did not change">
          edited copy of{" "}
        </span>
      )}
      {children ? children(shown) : shown}
      {version != null && (
        <span className="num shrink-0 font-normal text-muted">
          {" "}v{version}
        </span>
      )}
    </>
  );
}
