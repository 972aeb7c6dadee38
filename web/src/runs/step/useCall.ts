import { messageOf } from "@/api/problem";
import { blobQuery } from "@/api/queries";
import { eventValue } from "@/api/trace";
import type { EventValue, TraceEvent } from "@/api/types";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { RecordedCall } from "../curl";

export interface Resolved<T> {
  data: T | undefined;
  /** What is there while, or because, the whole is not. */
  preview?: string;
  loading: boolean;
  error?: string;
}

/** The value of an event's field, wherever it is kept. */
export function useEventValue<T>(run: string, value: EventValue | undefined): Resolved<T> {
  const blob = value && "blob" in value ? value.blob : undefined;
  const query = useQuery({ ...blobQuery(run, blob?.hash ?? ""), enabled: blob !== undefined });
  if (!value) return { data: undefined, loading: false };
  if ("inline" in value) return { data: value.inline as T, loading: false };
  return {
    data: query.data as T | undefined,
    preview: blob?.preview,
    loading: query.isPending,
    error: query.error ? messageOf(query.error) : undefined,
  };
}

/** What the step's first request was made of: for a model its messages and parameters, for a tool its rendered `config`. */
export interface StepCall extends RecordedCall {
  template?: Record<string, unknown> | null;
  variables?: Record<string, unknown>;
  simulate?: unknown;
  [field: string]: unknown;
}

export function useCall(run: string, events: readonly TraceEvent[] | undefined): Resolved<StepCall> {
  const value = useMemo(() => {
    for (const { kind, payload } of events ?? []) {
      if (kind === "llm.request" && payload.prompt) return eventValue(payload, "prompt");
      if (kind === "tool.request" && payload.config) return eventValue(payload, "config");
    }
    return undefined;
  }, [events]);
  return useEventValue<StepCall>(run, value);
}
