import { api } from "@/api/client";
import { messageOf } from "@/api/problem";
import { catalogQuery, keys } from "@/api/queries";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Field, Input } from "@/ui/field";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

/** A new workflow starts with one model call that asks for a topic, so that it can run at once. */
export function CreateDialog({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const client = useQueryClient();
  const { data: catalog } = useQuery(catalogQuery);
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const create = useMutation({
    mutationFn: () => api.createWorkflow({ name: name.trim(), description: description.trim() || undefined, graph_json: firstDocument(catalog?.providers) }),
    onSuccess: async ({ id }) => {
      await client.invalidateQueries({ queryKey: keys.workflows });
      await navigate({ to: "/workflows/$id/edit", params: { id } });
    },
  });
  return (
    <Dialog title="New workflow" onClose={onClose}>
      <form
        className="grid gap-3 p-4"
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate();
        }}
      >
        <Field label="Name" error={create.error ? messageOf(create.error) : undefined}>
          {(ids) => <Input {...ids} autoFocus required maxLength={200} value={name} onChange={(event) => setName(event.target.value)} />}
        </Field>
        <Field label="Description" hint="Optional; shown in the list.">
          {(ids) => <Input {...ids} maxLength={10_000} value={description} onChange={(event) => setDescription(event.target.value)} />}
        </Field>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" disabled={!name.trim() || create.isPending}>
            Create
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function firstDocument(providers: { name: string; configured: boolean }[] | undefined) {
  const provider = providers?.find((each) => each.configured)?.name === "anthropic" ? "anthropic" : "openai";
  const model = provider === "anthropic" ? "claude-3-5-haiku-latest" : "gpt-4o-mini";
  return {
    version: "1",
    entry: "answer",
    nodes: [{ id: "answer", type: "llm", name: "Answer", config: { provider, model, prompt: "Explain {{input.topic}} in three sentences." } }],
    edges: [],
  };
}
