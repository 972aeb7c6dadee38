import { api } from "@/api/client";
import { parseJson, writeJson } from "@/api/lossless";
import { messageOf } from "@/api/problem";
import { versionsQuery } from "@/api/queries";
import { Button } from "@/ui/button";
import { ErrorBanner, SkeletonRows } from "@/ui/feedback";
import { Ago } from "@/ui/time";
import { toast } from "@/ui/toast";
import { useQuery } from "@tanstack/react-query";
import { differences } from "./compare";
import { isObject } from "./pointer";
import { useEditor, useEditorStore, written } from "./store";
import { useState } from "react";

/** The versions that were published, the newest first. One that is restored becomes the draft. */
export function Versions({ workflow, current, unpublished }: { workflow: string; current: number; unpublished: boolean }) {
  const store = useEditorStore();
  const { data, error, refetch } = useQuery(versionsQuery(workflow));
  const [shown, setShown] = useState<{ version: number; text: string } | null>(null);
  const read = async (version: number) => writeJson((await api.workflowVersion(workflow, version)).graph_json, 2);
  const restore = async (version: number) => {
    try {
      const text = await read(version);
      const document = parseJson(text);
      if (isObject(document)) store.replace(document);
      else store.write(text);
      toast(`This is version ${version} again, as a draft.`, { action: { label: "Undo", run: () => store.undo() } });
    } catch (failure) {
      toast(messageOf(failure), { tone: "bad" });
    }
  };
  const compare = async (version: number) => {
    if (shown?.version === version) return setShown(null);
    try {
      setShown({ version, text: await read(version) });
    } catch (failure) {
      toast(messageOf(failure), { tone: "bad" });
    }
  };
  if (error) return <ErrorBanner message={messageOf(error)} onRetry={() => void refetch()} />;
  if (!data) return <SkeletonRows rows={4} height={36} />;
  return (
    <ol aria-label="Versions" className="min-h-0 flex-1 overflow-y-auto">
      {unpublished && (
        <li className="flex min-h-10 items-center gap-2 border-b border-line px-3">
          <span className="font-medium">Draft</span>
          <span className="text-xs text-muted">not published</span>
        </li>
      )}
      {data.versions.toReversed().map(({ version, created_at }) => (
        <li key={version} className="border-b border-line px-3 py-1">
          <div className="flex min-h-10 items-center gap-1">
            <span className="mr-auto flex min-w-0 flex-col">
              <span className="num font-medium">Version {version}</span>
              <span className="text-xs text-muted">
                <Ago at={created_at} />
                {version === current && <span className="text-ok"> · runs start with it</span>}
              </span>
            </span>
            <Button variant="ghost" aria-expanded={shown?.version === version} aria-label={`Compare with version ${version}`} onClick={() => void compare(version)}>
              Compare
            </Button>
            <Button aria-label={`Restore version ${version}`} onClick={() => void restore(version)}>
              Restore
            </Button>
          </div>
          {shown?.version === version && <Compared text={shown.text} />}
        </li>
      ))}
    </ol>
  );
}

function Compared({ text }: { text: string }) {
  const now = useEditor(written);
  const found = differences(now, text);
  if (found.length === 0) return <p className="pb-2 text-xs text-muted">The same as what you see.</p>;
  return (
    <ul className="flex flex-col gap-1 pb-2 text-xs">
      {found.map((part) => (
        <li key={part.about}>
          <details>
            <summary className="cursor-pointer">
              {part.about} <span className="text-muted">{part.mine === null ? "only in the version" : part.theirs === null ? "not in the version" : "differs"}</span>
            </summary>
            <pre tabIndex={0} dir="auto" aria-label={`${part.about} in the version`} className="mt-1 max-h-48 overflow-auto rounded bg-raised p-2 font-mono whitespace-pre-wrap">
              {part.theirs ?? part.mine}
            </pre>
          </details>
        </li>
      ))}
    </ul>
  );
}
