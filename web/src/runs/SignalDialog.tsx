import { api } from "@/api/client";
import { newKey } from "@/api/start";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { parseJson } from "@/ui/json";
import { JsonField } from "@/ui/jsonField";
import { toast } from "@/ui/toast";
import { Send } from "lucide-react";
import { useState } from "react";
import { useRunAction } from "./useRunAction";

/** Sends the signal that a step waits for; its payload becomes the step's output. */
export function SignalDialog({ run, signal, onClose }: { run: string; signal: string; onClose: () => void }) {
  const [text, setText] = useState("{}");
  const [key] = useState(newKey);
  const send = useRunAction(run, (payload: unknown) => api.signalRun(run, signal, payload, key));
  const read = parseJson(text);
  return (
    <Dialog title={`Send the signal ${signal}`} onClose={onClose}>
      <form
        className="grid gap-3 p-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (read.error !== undefined) return;
          send.mutate(read.value, {
            onSuccess: () => {
              toast(`Signal ${signal} was sent.`);
              onClose();
            },
          });
        }}
      >
        <JsonField label="Payload, as JSON" hint="It becomes the output of the step that waits." value={text} onChange={setText} rows={6} />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" disabled={read.error !== undefined || send.isPending}>
            <Send size={14} aria-hidden />
            Send
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

export function SignalButton({ run, signal }: { run: string; signal: string }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button onClick={() => setOpen(true)}>
        <Send size={13} aria-hidden />
        Send signal
      </Button>
      {open && <SignalDialog run={run} signal={signal} onClose={() => setOpen(false)} />}
    </>
  );
}
