import { messageOf } from "@/api/problem";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import type { ReactNode } from "react";

/** Asks before something that nobody can take back. */
export function Confirm({
  title,
  action,
  pending,
  error,
  onConfirm,
  onClose,
  children,
}: {
  title: string;
  /** What the button says that does it. */
  action: string;
  pending: boolean;
  error: unknown;
  onConfirm: () => void;
  onClose: () => void;
  children: ReactNode;
}) {
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        className="grid gap-3 p-4"
        onSubmit={(event) => {
          event.preventDefault();
          onConfirm();
        }}
      >
        <div className="grid gap-2 break-words">{children}</div>
        {error != null && (
          <p role="alert" className="break-words text-bad">
            {messageOf(error)}
          </p>
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="danger" disabled={pending}>
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
