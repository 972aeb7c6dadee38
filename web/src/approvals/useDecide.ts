import { api } from "@/api/client";
import { keys } from "@/api/queries";
import type { Decide } from "@/api/types";
import { useMutation, useQueryClient } from "@tanstack/react-query";

/** Says yes or no. Whatever comes of it, the lists and the run are read again: somebody else may have been faster. */
export function useDecide(id: string, run: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Decide) => api.decide(id, body),
    onSettled: () => Promise.all([client.invalidateQueries({ queryKey: keys.approvals }), client.invalidateQueries({ queryKey: keys.run(run) }), client.invalidateQueries({ queryKey: ["runs"] })]),
  });
}
