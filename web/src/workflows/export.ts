import { api } from "@/api/client";
import { writeJson } from "@/api/lossless";
import { messageOf } from "@/api/problem";
import type { WorkflowSummary } from "@/api/types";
import { toast } from "@/ui/toast";

/** Saves the document as a file that an import, or `flowtrace run`, takes. */
export async function exportWorkflow({ id, name }: WorkflowSummary): Promise<void> {
  try {
    const { graph_json } = await api.workflow(id);
    const url = URL.createObjectURL(new Blob([`${writeJson(graph_json, 2)}\n`], { type: "application/json" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = `${fileName(name)}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  } catch (error) {
    toast(messageOf(error), { tone: "bad" });
  }
}

/** A name that every file system takes; letters of any script stay. */
function fileName(name: string): string {
  return name.replaceAll(/[^\p{L}\p{N}._-]+/gu, "-").replaceAll(/^[-.]+|-+$/g, "") || "workflow";
}
