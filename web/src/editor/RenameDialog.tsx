import { messageOf } from "@/api/problem";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Field, Input } from "@/ui/field";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import type { Saver } from "./saver";

export function RenameDialog({ name, saver, onRenamed, onClose }: { name: string; saver: Saver; onRenamed: (name: string) => void; onClose: () => void }) {
  const [typed, setTyped] = useState(name);
  const rename = useMutation({
    mutationFn: () => saver.rename(typed.trim()),
    onSuccess: () => {
      onRenamed(typed.trim());
      onClose();
    },
  });
  return (
    <Dialog title="Rename the workflow" onClose={onClose}>
      <form
        className="grid gap-3 p-4"
        onSubmit={(event) => {
          event.preventDefault();
          rename.mutate();
        }}
      >
        <Field label="Name" error={rename.error ? messageOf(rename.error) : undefined}>
          {(ids) => <Input {...ids} required dir="auto" maxLength={200} value={typed} onChange={(event) => setTyped(event.target.value)} />}
        </Field>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" disabled={!typed.trim() || typed.trim() === name || rename.isPending}>
            Rename
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
