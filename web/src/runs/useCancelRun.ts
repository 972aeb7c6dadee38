import { api } from "@/api/client";
import { messageOf } from "@/api/problem";
import { toast } from "@/ui/toast";
import { useMutation, useQueryClient } from "@tanstack/react-query";

export function useCancelRun() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => api.cancelRun(id),
    onError: (error) => toast(messageOf(error), { tone: "bad" }),
    onSettled: (_result, _error, id) =>
      Promise.all([client.invalidateQueries({ queryKey: ["runs"] }), client.invalidateQueries({ queryKey: ["run", id] })]),
  });
}
