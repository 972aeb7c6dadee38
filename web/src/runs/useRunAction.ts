import { messageOf } from "@/api/problem";
import { toast } from "@/ui/toast";
import { useMutation, useQueryClient } from "@tanstack/react-query";

/** Something that is said to a run. What comes of it is in the run's journal, so its views are read again. */
export function useRunAction<T>(run: string, say: (given: T) => Promise<unknown>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: say,
    onError: (error) => toast(messageOf(error), { tone: "bad" }),
    onSettled: () => Promise.all([client.invalidateQueries({ queryKey: ["runs"] }), client.invalidateQueries({ queryKey: ["run", run] })]),
  });
}
