import { api } from "@/api/client";
import { messageOf } from "@/api/problem";
import { traceKeys } from "@/api/traces";
import type { Span } from "@/api/types";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Field, Input, Select } from "@/ui/field";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { scoreValue } from "./score";

/** What a person thinks of a trace, or of the span that is open. */
export function ScoreDialog({ trace, span, onClose }: { trace: string; span: Span | undefined; onClose: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState("quality");
  const [text, setText] = useState("");
  const [comment, setComment] = useState("");
  const [about, setAbout] = useState(span ? "span" : "trace");
  const value = scoreValue(text);
  const score = useMutation({
    mutationFn: () =>
      api.score({ trace_id: trace, span_id: about === "span" ? span?.span_id : undefined, name: name.trim(), value, comment: comment.trim() || undefined }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: traceKeys.trace(trace), exact: true });
      onClose();
    },
  });
  return (
    <Dialog title="Score" onClose={onClose}>
      <form
        className="grid gap-3 p-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (value !== null) score.mutate();
        }}
      >
        <Field label="Name">{(ids) => <Input {...ids} required maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />}</Field>
        <Field
          label="Value"
          hint={value === null ? "A number, yes or no, or a word." : `Kept as a ${{ number: "number", boolean: "yes or no", string: "word" }[typeof value as "number" | "boolean" | "string"]}.`}
          error={score.error ? messageOf(score.error) : undefined}
        >
          {(ids) => <Input {...ids} required value={text} onChange={(event) => setText(event.target.value)} />}
        </Field>
        <Field label="Comment">{(ids) => <Input {...ids} value={comment} onChange={(event) => setComment(event.target.value)} />}</Field>
        {span && (
          <Field label="About">
            {(ids) => (
              <Select {...ids} value={about} onChange={(event) => setAbout(event.target.value)}>
                <option value="span">the span {span.name.slice(0, 60)}</option>
                <option value="trace">the whole trace</option>
              </Select>
            )}
          </Field>
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" disabled={value === null || name.trim() === "" || score.isPending}>
            Save the score
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
