import { useQuery } from "@tanstack/react-query";
import { messageOf } from "./problem";
import { blobQuery } from "./queries";
import { eventValue, traceQuery } from "./trace";

/** A value as the journal has it, whole, for what a list shows only the beginning of. `undefined` while it is read. */
export function useRecorded(run: string, step: string, kind: string, field: string, enabled: boolean): { value?: unknown; error?: string } {
  const trace = useQuery({ ...traceQuery(run), enabled });
  const event = enabled ? trace.data?.find((each) => each.kind === kind && each.step_id === step && each.payload[field] != null) : undefined;
  const value = event && eventValue(event.payload, field);
  const hash = value && "blob" in value ? value.blob.hash : undefined;
  const blob = useQuery({ ...blobQuery(run, hash ?? ""), enabled: hash !== undefined });
  const error = trace.error ?? blob.error;
  return { value: value && "inline" in value ? value.inline : blob.data, error: error ? messageOf(error) : undefined };
}
