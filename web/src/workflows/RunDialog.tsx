import { parseJson, writeJson } from "@/api/lossless";
import { inputsRead, inputValue } from "@/api/document";
import { ApiProblem, messageOf } from "@/api/problem";
import { workflowQuery } from "@/api/queries";
import { newKey, useStartRun } from "@/api/start";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Skeleton } from "@/ui/feedback";
import { Field, TextArea } from "@/ui/field";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";

/** Starts a run, with a field for each input that the workflow reads. */
export function RunDialog({
  workflow: id,
  document,
  prepare,
  note,
  onClose,
}: {
  workflow: string;
  /** The document that will run, where it is not the newest version yet. */
  document?: unknown;
  /** What has to happen before the run can start. */
  prepare?: () => Promise<void>;
  note?: string;
  onClose: () => void;
}) {
  const { data: workflow, error } = useQuery(workflowQuery(id));
  const names = useMemo(() => workflow && inputsRead(document ?? workflow.graph_json), [workflow, document]);
  const navigate = useNavigate();
  const start = useStartRun();
  const [key] = useState(newKey);
  const [typed, setTyped] = useState<Record<string, string>>({});
  const [json, setJson] = useState<string | null>(null);
  const jsonError = useMemo(() => (json === null ? undefined : problemOf(json)), [json]);

  const fromFields = () => Object.fromEntries((names ?? []).map((name) => [name, inputValue(typed[name] ?? "")]));
  const [preparing, setPreparing] = useState(false);
  const [unprepared, setUnprepared] = useState<unknown>(null);
  const submit = async () => {
    const input = json === null ? fromFields() : (parseJson(json) as Record<string, unknown>);
    setUnprepared(null);
    setPreparing(true);
    try {
      await prepare?.();
    } catch (error) {
      setUnprepared(error);
      return;
    } finally {
      setPreparing(false);
    }
    start.mutate(
      { workflow: id, input, key },
      { onSuccess: (run) => void navigate({ to: "/runs/$id", params: { id: run } }) },
    );
  };
  const failure = unprepared ?? start.error;
  return (
    <Dialog title={workflow ? `Run ${workflow.name}` : "Run"} onClose={onClose}>
      <form
        className="grid gap-3 p-4"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        {error && <p role="alert" className="text-bad">{messageOf(error)}</p>}
        {!names && !error && <Skeleton className="h-16" />}
        {names?.length === 0 && json === null && <p className="text-muted">This workflow reads no input.</p>}
        {json === null
          ? names?.map((name, index) => (
              <Field key={name} label={name} hint={index === 0 ? "Text, or JSON: a number, true, a list or an object." : undefined}>
                {(ids) => (
                  <TextArea
                    {...ids}
                    autoFocus={index === 0}
                    rows={2}
                    value={typed[name] ?? ""}
                    onChange={(event) => setTyped((old) => ({ ...old, [name]: event.target.value }))}
                    onKeyDown={submitOnModEnter}
                  />
                )}
              </Field>
            ))
          : (
              <Field label="Input as JSON" error={jsonError} hint="An object; the workflow reads its fields as input.…">
                {(ids) => <TextArea {...ids} rows={8} value={json} spellCheck={false} onChange={(event) => setJson(event.target.value)} onKeyDown={submitOnModEnter} />}
              </Field>
            )}
        {note && <p className="text-muted">{note}</p>}
        {failure != null && (
          <div role="alert" className="text-bad">
            <p>{messageOf(failure)}</p>
            {failure instanceof ApiProblem && (
              <ul className="ml-4 list-disc">
                {failure.problems.map((problem) => (
                  <li key={problem.pointer + problem.code}>{problem.message}</li>
                ))}
              </ul>
            )}
          </div>
        )}
        <div className="flex items-center gap-2">
          <Button
            variant="ghost"
            onClick={() => setJson((now) => (now === null ? writeJson(fromFields(), 2) : null))}
            disabled={Boolean(jsonError) || !names}
          >
            {json === null ? "Write JSON" : "Use the fields"}
          </Button>
          <span className="ml-auto" />
          <Button onClick={onClose}>Cancel</Button>
          <Button key={names ? "ready" : "reading"} type="submit" variant="primary" autoFocus={names?.length === 0} disabled={!names || Boolean(jsonError) || preparing || start.isPending}>
            Run
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function submitOnModEnter(event: React.KeyboardEvent<HTMLTextAreaElement>) {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    event.currentTarget.form?.requestSubmit();
  }
}

function problemOf(json: string): string | undefined {
  try {
    const value = parseJson(json);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? undefined : "The input has to be a JSON object.";
  } catch (error) {
    return `This is not JSON yet: ${messageOf(error)}.`;
  }
}
