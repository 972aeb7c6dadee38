import { api } from "@/api/client";
import { parseJson } from "@/api/lossless";
import { ApiProblem, messageOf } from "@/api/problem";
import { keys } from "@/api/queries";
import { toast } from "@/ui/toast";
import { useMutation, useQueryClient } from "@tanstack/react-query";

/** The server takes this many bytes at most. */
const MOST = 6 * 1024 * 1024;

/** Makes a workflow from a file: a bare document, or `{name, description?, graph_json}`. The server says what is wrong with it. */
export function useImport() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (file: File) => {
      if (file.size > MOST) throw new Error(`“${file.name}” is larger than 6 MB, which is the most that is accepted.`);
      return api.createWorkflow(wrap(file.name, await file.text()));
    },
    onSuccess: (_result, file) => {
      toast(`“${file.name}” was imported.`);
      return client.invalidateQueries({ queryKey: keys.workflows });
    },
    onError: (error, file) => {
      const first = error instanceof ApiProblem ? error.problems[0] : undefined;
      const more = error instanceof ApiProblem && error.problems.length > 1 ? ` (and ${error.problems.length - 1} more)` : "";
      toast(`“${file.name}” was not imported. ${first ? `${first.message}${more}` : messageOf(error)}`, { tone: "bad" });
    },
  });
}

export function wrap(fileName: string, text: string): { name: string; description?: string; graph_json: unknown } {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    throw new Error(`It is not JSON: ${messageOf(error)}.`, { cause: error });
  }
  const fallback = fileName.replace(/\.json$/i, "").slice(0, 200) || "Imported";
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("It is JSON, but not an object.");
  const { name, description, graph_json } = value as Record<string, unknown>;
  if (graph_json === undefined) return { name: typeof name === "string" && name.trim() ? name.slice(0, 200) : fallback, graph_json: value };
  return {
    name: typeof name === "string" && name.trim() ? name : fallback,
    description: typeof description === "string" ? description : undefined,
    graph_json,
  };
}
