import { runsQuery, workflowsQuery } from "@/api/queries";
import { cx } from "@/ui/cx";
import { Dialog } from "@/ui/dialog";
import { shortId } from "@/ui/format";
import { statusWord } from "@/ui/status";
import { setTheme } from "@/ui/theme";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useId, useMemo, useState } from "react";

interface Item {
  id: string;
  group: string;
  label: string;
  note?: string;
  run: () => void;
}

const SHOWN = 40;

/** Go anywhere, do anything, without the mouse. */
export function Palette({ onClose, onHelp }: { onClose: () => void; onHelp: () => void }) {
  const navigate = useNavigate();
  const { data: workflows } = useQuery(workflowsQuery);
  const { data: runs } = useInfiniteQuery(runsQuery({}));
  const [text, setText] = useState("");
  const [active, setActive] = useState(0);
  const list = useId();

  const items = useMemo<Item[]>(() => {
    const go = (to: "/runs" | "/traces" | "/sessions" | "/workflows" | "/approvals" | "/settings", label: string): Item => ({
      id: to,
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
      { id: "failed", group: "Pages", label: "Failed runs", run: () => void navigate({ to: "/runs", search: { status: "failed" } }) },
      { id: "failed-traces", group: "Pages", label: "Failed traces", run: () => void navigate({ to: "/traces", search: { status: "failed" } }) },
      ...(workflows ?? []).map<Item>((workflow) => ({
        id: `edit:${workflow.id}`,
        group: "Open a workflow",
        label: workflow.name,
        run: () => void navigate({ to: "/workflows/$id/edit", params: { id: workflow.id } }),
      })),
      ...(workflows ?? []).map<Item>((workflow) => ({
        id: `run:${workflow.id}`,
        group: "Run a workflow",
        label: `Run ${workflow.name}`,
        run: () => void navigate({ to: "/workflows", search: { run: workflow.id } }),
      })),
      ...(runs?.pages[0]?.runs ?? []).slice(0, 15).map<Item>((run) => ({
        id: run.id,
        group: "Latest runs",
        label: `${names.get(run.workflow_id ?? "") ?? "Unsaved workflow"} ${shortId(run.id)}`,
        note: statusWord(run.status),
        run: () => void navigate({ to: "/runs/$id", params: { id: run.id } }),
      })),
      ...(["light", "dark", "system"] as const).map<Item>((theme) => ({
        id: `theme:${theme}`,
        group: "Look",
        label: `Theme: ${theme}`,
        run: () => setTheme(theme),
      })),
      { id: "help", group: "Help", label: "Keyboard help", run: onHelp },
    ];
  }, [workflows, runs, navigate, onHelp]);

  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = items
    .filter((item) => {
      const hay = `${item.group} ${item.label} ${item.note ?? ""} ${item.id}`.toLowerCase();
      return words.every((word) => hay.includes(word));
    })
    .slice(0, SHOWN);
  const current = Math.min(active, found.length - 1);

  const choose = (item: Item | undefined) => {
    if (!item) return;
    onClose();
    item.run();
  };

  return (
    <Dialog title="Command palette" hideTitle onClose={onClose} className="mt-[12vh]">
      <input
        role="combobox"
        aria-expanded
        aria-controls={list}
        aria-activedescendant={current >= 0 ? `${list}-${current}` : undefined}
        aria-label="Search pages, workflows, runs and actions"
        placeholder="Search pages, workflows, runs, actions"
        autoFocus
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setActive(0);
        }}
        onKeyDown={(event) => {
          const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
          if (step) {
            event.preventDefault();
            const next = (current + step + found.length) % Math.max(1, found.length);
            setActive(next);
            document.getElementById(`${list}-${next}`)?.scrollIntoView({ block: "nearest" });
          } else if (event.key === "Enter") {
            event.preventDefault();
            choose(found[current]);
          }
        }}
        className="h-11 w-full border-b border-line bg-transparent px-4 text-base outline-none placeholder:text-muted"
      />
      <div id={list} role="listbox" aria-label="Results" className="max-h-[46vh] overflow-y-auto py-1">
        {found.map((item, index) => (
          <div key={item.id} role="presentation">
            {item.group !== found[index - 1]?.group && (
              <div role="presentation" className="px-4 pt-2 pb-0.5 text-xs text-muted">
                {item.group}
              </div>
            )}
            <div
              id={`${list}-${index}`}
              role="option"
              aria-selected={index === current}
              onClick={() => choose(item)}
              onPointerMove={() => setActive(index)}
              className={cx("flex h-7 cursor-pointer items-center gap-2 px-4", index === current && "bg-selected")}
            >
              <span className="min-w-0 flex-1 truncate">{item.label}</span>
              {item.note && <span className="text-xs text-muted">{item.note}</span>}
            </div>
          </div>
        ))}
        {found.length === 0 && (
          <div role="option" aria-selected={false} aria-disabled className="px-4 py-6 text-center text-muted">
            Nothing matches “{text}”.
          </div>
        )}
      </div>
    </Dialog>
  );
}
