import { Dialog } from "@/ui/dialog";
import { Kbd } from "@/ui/kbd";

const groups: { title: string; keys: [string[], string][] }[] = [
  {
    title: "Everywhere",
    keys: [
      [["Ctrl K", "⌘ K"], "Command palette: pages, workflows, actions"],
      [["?"], "This help"],
      [["Esc"], "Close what is open"],
    ],
  },
  {
    title: "Lists and steps",
    keys: [
      [["j", "↓"], "Next row"],
      [["k", "↑"], "Previous row"],
      [["Enter"], "Open the row"],
      [["/"], "Go to the filter"],
      [["x"], "Choose the run to compare"],
      [["c"], "Compare the two chosen runs"],
    ],
  },
  {
    title: "Editor",
    keys: [
      [["/"], "Add a step: type, then Enter"],
      [["↑", "→"], "Go from step to step"],
      [["Alt →"], "Move the step"],
      [["Enter"], "Edit the step"],
      [["c"], "Connect the step to another"],
      [["Del"], "Delete what is selected"],
      [["Ctrl Z"], "Undo; with Shift: redo"],
      [["Ctrl C", "V"], "Copy and paste steps"],
      [["Ctrl ↵"], "Run"],
    ],
  },
  {
    title: "Run and trace",
    keys: [
      [["e"], "Next failed step or span"],
      [["1", "…", "4"], "Timeline, tree; of a run also graph, log"],
      [["t"], "Time travel: the run after each of its events"],
      [[",", "."], "One event back, one event on"],
      [["Esc"], "Close the step or span"],
    ],
  },
  {
    title: "Approvals and Compare",
    keys: [
      [["a"], "Go to Approve; Enter approves"],
      [["e"], "Edit what is approved"],
      [["r"], "Reject with a reason"],
      [["n"], "Next step that differs"],
    ],
  },
];

export function HelpDialog({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <div className="grid gap-4 p-4">
        {groups.map((group) => (
          <section key={group.title}>
            <h3 className="mb-1 text-xs font-semibold text-muted">{group.title}</h3>
            <dl className="grid grid-cols-[112px_1fr] gap-y-1">
              {group.keys.map(([keys, what]) => (
                <div key={what} className="contents">
                  <dt className="flex gap-1">
                    {keys.map((key) => (
                      <Kbd key={key}>{key}</Kbd>
                    ))}
                  </dt>
                  <dd>{what}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
