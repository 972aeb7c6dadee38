import { blobQuery } from "@/api/queries";
import { messageOf } from "@/api/problem";
import { eventValue, traceQuery } from "@/api/trace";
import type { Approval } from "@/api/types";
import { useQuery } from "@tanstack/react-query";

/** What is to be approved, whole: the list has only the beginning of what is long. */
export function usePayload(approval: Approval): { value: unknown; whole: boolean; error?: string } {
  const cut = approval.payload_truncated;
  const trace = useQuery({ ...traceQuery(approval.run_id), enabled: cut });
  const asked = cut ? trace.data?.find((event) => event.kind === "approval.requested" && event.step_id === approval.step_id) : undefined;
  const value = asked && eventValue(asked.payload, "payload");
  const hash = value && "blob" in value ? value.blob.hash : undefined;
  const blob = useQuery({ ...blobQuery(approval.run_id, hash ?? ""), enabled: hash !== undefined });
  if (!cut) return { value: approval.payload, whole: true };
  if (value && "inline" in value) return { value: value.inline, whole: true };
  if (blob.data !== undefined) return { value: blob.data, whole: true };
  const error = trace.error ?? blob.error;
  return { value: approval.payload, whole: false, error: error ? messageOf(error) : undefined };
}
