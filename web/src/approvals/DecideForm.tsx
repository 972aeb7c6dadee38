import { ApiProblem, messageOf } from "@/api/problem";
import type { Approval } from "@/api/types";
import { Button } from "@/ui/button";
import { WordDiff } from "@/ui/diff";
import { Field, TextArea } from "@/ui/field";
import { useHotkeys } from "@/ui/hotkeys";
import { parseJson, prettyJson } from "@/ui/json";
import { JsonField } from "@/ui/jsonField";
import { Kbd } from "@/ui/kbd";
import { passFocusTo } from "@/ui/focus";
import { toast } from "@/ui/toast";
import { Value } from "@/ui/value";
import { Check, Pencil, X } from "lucide-react";
import { useRef, useState } from "react";
import { useDecide } from "./useDecide";
import type { usePayload } from "./usePayload";

const LONGEST_REASON = 10_000;

/** Yes, yes to something else, or no with a reason. Keys only bring the focus: nothing is decided by a slip. */
export function DecideForm({ approval, payload }: { approval: Approval; payload: ReturnType<typeof usePayload> }) {
  const decide = useDecide(approval.id, approval.run_id);
  const [edited, setEdited] = useState<string | null>(null);
  const [rejecting, setRejecting] = useState(false);
  const [reason, setReason] = useState("");
  const approve = useRef<HTMLButtonElement>(null);
  const form = useRef<HTMLDivElement>(null);

  // Text is edited as text, all else as JSON.
  const isText = typeof payload.value === "string";
  const before = isText ? (payload.value as string) : prettyJson(payload.value);
  const read = edited === null ? undefined : isText ? { value: edited, error: undefined } : parseJson(edited);
  const changed = read !== undefined && read.error === undefined && JSON.stringify(read.value) !== JSON.stringify(payload.value);
  // What an interrupted call is said to have answered is a result, and not what it was given.
  const sends = changed || (approval.interrupted && edited !== null);
  const blocked = read?.error !== undefined || decide.isPending;

  const focusField = () => requestAnimationFrame(() => form.current?.querySelector<HTMLElement>("textarea")?.focus());
  const edit = () => {
    if (!payload.whole) return;
    setRejecting(false);
    setEdited((now) => now ?? before);
    focusField();
  };
  const reject = () => {
    setRejecting(true);
    focusField();
  };
  useHotkeys({ a: () => approve.current?.focus(), e: edit, r: reject });

  const say = (decision: "approve" | "reject") => {
    const why = reason.trim() === "" ? {} : { reason };
    const value = read && read.error === undefined ? read.value : undefined;
    decide.mutate(decision === "reject" ? { decision, ...why } : { decision, ...(sends ? { payload: value } : {}), ...why }, {
      onSuccess: () => {
        toast(decision === "approve" ? "Approved: the run goes on." : "Rejected.");
        passFocusTo('[aria-label="The question"]');
      },
    });
  };
  const already = decide.error instanceof ApiProblem && decide.error.code === "already_decided";

  return (
    <div ref={form} className="grid grid-cols-[minmax(0,1fr)] gap-3">
      <section>
        <div className="mb-1 flex items-center gap-2">
          <h3 className="text-xs font-semibold text-muted">{approval.interrupted ? "What the call was given" : "What you are asked about"}</h3>
          {edited === null ? (
            <Button variant="ghost" className="ml-auto" disabled={!payload.whole} title={payload.whole ? undefined : "The whole is being read"} onClick={edit}>
              <Pencil size={13} aria-hidden />
              Edit
            </Button>
          ) : (
            <Button variant="ghost" className="ml-auto" onClick={() => setEdited(null)}>
              Discard the edit
            </Button>
          )}
        </div>
        {edited === null ? (
          <div className="max-h-[40vh] overflow-auto rounded border border-line bg-bg px-3 py-2" tabIndex={0} role="region" aria-label="Payload">
            <Value value={payload.value} name={`${approval.step_id}-payload`} truncated={!payload.whole} />
            {payload.error && <p className="text-bad">{payload.error}</p>}
          </div>
        ) : (
          <div className="grid grid-cols-[minmax(0,1fr)] gap-2">
            {isText ? (
              <Field label="Edited text">
                {(ids) => <TextArea {...ids} rows={Math.min(16, edited.split("\n").length + 2)} value={edited} onChange={(event) => setEdited(event.target.value)} />}
              </Field>
            ) : (
              <JsonField label={approval.interrupted ? "The result of the call, as JSON" : "Edited payload, as JSON"} value={edited} onChange={setEdited} />
            )}
            {changed && (
              <section aria-label="What you changed" className="rounded border border-line bg-bg px-3 py-2">
                <h4 className="mb-1 text-xs text-muted">What you changed</h4>
                <WordDiff before={before} after={isText ? edited : prettyJson(read?.error === undefined ? read?.value : undefined)} mono={!isText} />
              </section>
            )}
          </div>
        )}
      </section>
      {rejecting && (
        <Field label="Why not" hint="Kept in the trace, and shown where the run fails.">
          {(ids) => <TextArea {...ids} rows={3} maxLength={LONGEST_REASON} value={reason} onChange={(event) => setReason(event.target.value)} className="!font-sans" />}
        </Field>
      )}
      {decide.error && (
        <p role="alert" className="rounded bg-bad-soft px-3 py-1.5 text-bad">
          {already ? "Already decided. " : ""}
          {messageOf(decide.error)}
        </p>
      )}
      <div className="flex flex-wrap items-center gap-2">
        {rejecting ? (
          <>
            <Button variant="danger" disabled={decide.isPending} onClick={() => say("reject")}>
              <X size={14} aria-hidden />
              Reject
            </Button>
            <Button onClick={() => setRejecting(false)}>Back</Button>
          </>
        ) : (
          <>
            <Button ref={approve} variant="primary" disabled={blocked} onClick={() => say("approve")}>
              <Check size={14} aria-hidden />
              {sends ? "Approve with the edit" : "Approve"}
            </Button>
            {edited === null && (
              <Button disabled={!payload.whole} onClick={edit}>
                <Pencil size={13} aria-hidden />
                Edit and approve
              </Button>
            )}
            <Button variant="danger" onClick={reject}>
              <X size={14} aria-hidden />
              Reject…
            </Button>
          </>
        )}
        <span className="ml-auto hidden items-center gap-1 text-xs text-muted sm:flex">
          <Kbd>a</Kbd> approve <Kbd>e</Kbd> edit <Kbd>r</Kbd> reject
        </span>
      </div>
    </div>
  );
}
