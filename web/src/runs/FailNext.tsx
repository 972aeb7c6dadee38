import { api } from "@/api/client";
import { messageOf } from "@/api/problem";
import type { FailNext as Fault } from "@/api/types";
import { buttonClass } from "@/ui/button";
import { toast } from "@/ui/toast";
import { useMutation } from "@tanstack/react-query";
import { ChevronDown, Zap } from "lucide-react";
import { DropdownMenu } from "radix-ui";

const faults: { label: string; note: string; fault: Fault }[] = [
  { label: "429 Too Many Requests", note: "once; a retry follows", fault: { status: 429, retry_after_ms: 1000 } },
  { label: "500 Server Error", note: "once; a retry follows", fault: { status: 500 } },
  { label: "500 three times", note: "the fallback takes over", fault: { status: 500, times: 3 } },
  { label: "Cut stream", note: "the answer breaks off", fault: { kind: "cut" } },
  { label: "Malformed answer", note: "HTTP 200, no JSON", fault: { kind: "malformed" } },
  { label: "Everything fails", note: "the next 20 calls: the run fails", fault: { status: 500, times: 20 } },
];

/** Makes the next calls of simulated models fail, to see what a workflow does then. */
export function FailNext() {
  const fail = useMutation({
    mutationFn: (fault: Fault) => api.failNext(fault),
    onSuccess: ({ waiting }) => toast(waiting === 1 ? "The next model call will fail." : `The next ${waiting} model calls will fail.`),
    onError: (error) => toast(messageOf(error), { tone: "bad" }),
  });
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className={buttonClass()}>
        <Zap size={14} aria-hidden />
        Fail the next call
        <ChevronDown size={13} aria-hidden />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content align="end" sideOffset={4} className="z-40 rounded border border-line bg-panel py-1 shadow-pop">
          {faults.map(({ label, note, fault }) => (
            <DropdownMenu.Item
              key={label}
              onSelect={() => fail.mutate(fault)}
              className="flex cursor-pointer items-baseline gap-8 px-3 whitespace-nowrap py-1 outline-none data-[highlighted]:bg-selected"
            >
              <span>{label}</span>
              <span className="ml-auto text-xs text-muted">{note}</span>
            </DropdownMenu.Item>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
