import { api } from "@/api/client";
import { messageOf } from "@/api/problem";
import { catalogQuery, keys, workflowsQuery } from "@/api/queries";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Field, Input, Select } from "@/ui/field";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { targets, TEMPLATES } from "./templates";

const copyOf = (id: string) => `copy:${id}`;

/** A new workflow starts from a template or from another workflow, so that it can run at once. */
export function CreateDialog({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const client = useQueryClient();
  const { data: catalog } = useQuery(catalogQuery);
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const [from, setFrom] = useState(TEMPLATES[0]?.id ?? "");
  const { data: workflows } = useQuery(workflowsQuery);
  const template = TEMPLATES.find((each) => each.id === from);
  const source = workflows?.find((each) => copyOf(each.id) === from);
  const create = useMutation({
    mutationFn: async () => {
      const graph_json = source ? (await api.workflow(source.id)).graph_json : template?.document(...targets(catalog?.providers ?? []));
      return api.createWorkflow({ name: name.trim(), description: description.trim() || undefined, graph_json });
    },
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
        <Field label="Start from" hint={template?.about ?? (source ? `Version ${source.version} of “${source.name}”, as a workflow of its own.` : undefined)}>
          {(ids) => (
            <Select {...ids} value={from} onChange={(event) => setFrom(event.target.value)}>
              <optgroup label="Templates">
                {TEMPLATES.map((each) => (
                  <option key={each.id} value={each.id}>
                    {each.name}
                  </option>
                ))}
              </optgroup>
              {workflows && workflows.length > 0 && (
                <optgroup label="A copy of">
                  {workflows.map((each) => (
                    <option key={each.id} value={copyOf(each.id)}>
                      {each.name}
                    </option>
                  ))}
                </optgroup>
              )}
            </Select>
          )}
        </Field>
        <Field label="Description" hint="Optional; shown in the list.">
          {(ids) => <Input {...ids} maxLength={10_000} value={description} onChange={(event) => setDescription(event.target.value)} />}
        </Field>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" disabled={!name.trim() || !catalog || create.isPending}>
            Create
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
