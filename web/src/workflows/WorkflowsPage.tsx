import { PageHeader } from "@/ui/page";

export function WorkflowsPage() {
  return <PageHeader title="Workflows" />;
}
