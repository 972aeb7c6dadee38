import { PageHeader } from "@/ui/page";

export function RunPage() {
  return <PageHeader title="Run" />;
}
