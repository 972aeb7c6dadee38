import { runsQuery, workflowsQuery } from "@/api/queries";
import { shortId } from "@/ui/format";
import { Pick, type PickItem } from "@/ui/pick";
import { runStatus, statusWord } from "@/ui/status";
import { setTheme } from "@/ui/theme";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";

type Item = PickItem & { run: () => void };

const SHOWN = 40;

/** Go anywhere, do anything, without the mouse. */
export function Palette({ onClose, onHelp }: { onClose: () => void; onHelp: () => void }) {
  const navigate = useNavigate();
  const { data: workflows } = useQuery(workflowsQuery);
  const { data: runs } = useInfiniteQuery(runsQuery({}));

  const items = useMemo<Item[]>(() => {
    const go = (to: "/runs" | "/traces" | "/sessions" | "/workflows" | "/approvals" | "/settings", label: string): Item => ({
      key: to,
      group: "Pages",
      label,
      run: () => void navigate({ to }),
    });
    const names = new Map(workflows?.map((workflow) => [workflow.id, workflow.name]));
    return [
      go("/runs", "Runs"),
      go("/traces", "Traces"),
      go("/sessions", "Sessions"),
      go("/workflows", "Workflows"),
      go("/approvals", "Approvals"),
      go("/settings", "Settings"),
      { key: "failed", group: "Pages", label: "Failed runs", run: () => void navigate({ to: "/runs", search: { status: "failed" } }) },
      { key: "failed-traces", group: "Pages", label: "Failed traces", run: () => void navigate({ to: "/traces", search: { status: "failed" } }) },
      ...(workflows ?? []).map<Item>((workflow) => ({
        key: `edit:${workflow.id}`,
        group: "Open a workflow",
        label: workflow.name,
        run: () => void navigate({ to: "/workflows/$id/edit", params: { id: workflow.id } }),
      })),
      ...(workflows ?? []).map<Item>((workflow) => ({
        key: `run:${workflow.id}`,
        group: "Run a workflow",
        label: `Run ${workflow.name}`,
        run: () => void navigate({ to: "/workflows", search: { run: workflow.id } }),
      })),
      ...(runs?.pages[0]?.runs ?? []).slice(0, 15).map<Item>((run) => ({
        key: run.id,
        group: "Latest runs",
        label: `${names.get(run.workflow_id ?? "") ?? "Unsaved workflow"} ${shortId(run.id)}`,
        note: statusWord(runStatus(run)),
        run: () => void navigate({ to: "/runs/$id", params: { id: run.id } }),
      })),
      ...(["light", "dark", "system"] as const).map<Item>((theme) => ({
        key: `theme:${theme}`,
        group: "Look",
        label: `Theme: ${theme}`,
        run: () => setTheme(theme),
      })),
      { key: "help", group: "Help", label: "Keyboard help", run: onHelp },
    ];
  }, [workflows, runs, navigate, onHelp]);

  return (
    <Pick
      title="Command palette"
      hideTitle
      label="Search pages, workflows, runs and actions"
      placeholder="Search pages, workflows, runs, actions"
      items={items.map((item) => ({ ...item, words: `${item.group ?? ""} ${item.note ?? ""} ${item.key}` }))}
      most={SHOWN}
      onPick={(key) => items.find((item) => item.key === key)?.run()}
      onClose={onClose}
    />
  );
}
