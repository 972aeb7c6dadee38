import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "./client";

export interface StartRun {
  workflow: string;
  input: Record<string, unknown>;
  /** Made once for each intent, so that a double click or a repeated request starts one run. */
  key: string;
}

/** Starts a run; gives its id. */
export function useStartRun() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ workflow, input, key }: StartRun) => (await api.startRun(workflow, input, key)).runId,
    onSuccess: () => client.invalidateQueries({ queryKey: ["runs"] }),
  });
}

/** A key for one intent to start a run. `randomUUID` exists only on secure origins, so random bytes stand in for it. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
