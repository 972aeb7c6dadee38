import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { plural } from "@/ui/format";
import { useMemo } from "react";
import { differences } from "./compare";
import type { SaveState } from "./saver";

/** Somebody else changed the workflow meanwhile: both are shown, and one is kept. The other one is a step of undo away. */
export function ConflictDialog({
  conflict,
  onMine,
  onTheirs,
  onClose,
}: {
  conflict: Extract<SaveState, { is: "conflict" }>;
  onMine: () => void;
  onTheirs: () => void;
  onClose: () => void;
}) {
  const { mine, theirs } = conflict;
  const found = useMemo(() => differences(mine, theirs.draft ?? theirs.published), [mine, theirs]);
  const what = theirs.draft === null ? `version ${theirs.version} was published` : "another draft was saved";
  return (
    <Dialog title="Somebody else changed this workflow" onClose={onClose} className="w-[min(960px,calc(100vw-24px))]">
      <p className="px-4 pt-3">
        While you were editing, {what}. {plural(found.length, "part differs", "parts differ")}. Nothing of yours was saved over it.
      </p>
      <div className="max-h-[50vh] overflow-auto p-4">
        <table className="w-full table-fixed border-collapse">
          <thead>
            <tr className="text-left text-xs text-muted">
              <th className="w-28 pb-1 font-medium">Part</th>
              <th className="pb-1 font-medium">Mine</th>
              <th className="pb-1 pl-2 font-medium">Theirs</th>
            </tr>
          </thead>
          <tbody>
            {found.map((part) => (
              <tr key={part.about} className="border-t border-line align-top">
                <th scope="row" className="py-1.5 pr-2 text-left font-medium break-words">
                  {part.about}
                </th>
                {[part.mine, part.theirs].map((text, side) => (
                  <td key={side} className={side === 1 ? "py-1.5 pl-2" : "py-1.5"}>
                    {text === null ? (
                      <span className="text-muted">not there</span>
                    ) : (
                      <pre tabIndex={0} dir="auto" aria-label={`${part.about}, ${side === 0 ? "mine" : "theirs"}`} className="max-h-40 overflow-auto rounded bg-raised p-2 font-mono text-xs break-words whitespace-pre-wrap">
                        {text}
                      </pre>
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <footer className="flex flex-wrap items-center justify-end gap-2 border-t border-line px-4 py-3">
        <span className="mr-auto text-muted">Whichever you keep, undo brings the other one back.</span>
        <Button onClick={onClose}>Decide later</Button>
        <Button onClick={onTheirs}>Take theirs</Button>
        <Button variant="primary" onClick={onMine}>
          Keep mine
        </Button>
      </footer>
    </Dialog>
  );
}
