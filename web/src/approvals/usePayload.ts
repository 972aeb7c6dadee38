import { useRecorded } from "@/api/recorded";
import type { Approval } from "@/api/types";

/** What is to be approved, whole: the list has only the beginning of what is long. */
export function usePayload(approval: Approval): { value: unknown; whole: boolean; error?: string } {
  const recorded = useRecorded(approval.run_id, approval.step_id, "approval.requested", "payload", approval.payload_truncated);
  if (!approval.payload_truncated) return { value: approval.payload, whole: true };
  if (recorded.value !== undefined) return { value: recorded.value, whole: true };
  return { value: approval.payload, whole: false, error: recorded.error };
}
