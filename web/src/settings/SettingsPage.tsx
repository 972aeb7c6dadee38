import { api } from "@/api/client";
import { messageOf } from "@/api/problem";
import { bindingsQuery, catalogQuery, versionQuery, workflowsQuery } from "@/api/queries";
import { setLocked } from "@/api/session";
import { Button } from "@/ui/button";
import { ErrorBanner, SkeletonRows } from "@/ui/feedback";
import { count, plural } from "@/ui/format";
import { PageHeader } from "@/ui/page";
import { setTheme, useTheme, type ThemeChoice } from "@/ui/theme";
import { toast } from "@/ui/toast";
import { useMutation, useQuery } from "@tanstack/react-query";
import { KeysSection } from "./KeysSection";
import { Prices } from "./Prices";
import { ProviderLine } from "./ProviderLine";
import { RetentionSection } from "./RetentionSection";
import { SecretsSection } from "./SecretsSection";
import { Section } from "./Section";

/** How is this instance set up? */
export function SettingsPage() {
  const catalog = useQuery(catalogQuery);
  const { data: version } = useQuery(versionQuery);
  const health = useQuery({ queryKey: ["health"], queryFn: ({ signal }) => api.health(signal), retry: false });
  const { data: bindings } = useQuery(bindingsQuery);
  const { data: workflows } = useQuery(workflowsQuery);
  const { data: session } = useQuery({ queryKey: ["session"], queryFn: ({ signal }) => api.session(signal) });
  return (
    <>
      <PageHeader title="Settings" />
      {catalog.error && <ErrorBanner message={messageOf(catalog.error)} onRetry={() => void catalog.refetch()} />}
      <div className="min-h-0 flex-1 overflow-y-auto" tabIndex={-1}>
        <div className="grid max-w-[860px] grid-cols-[minmax(0,1fr)] gap-7 px-4 py-5">
          <Section title="Providers" note="A key comes from the server’s environment, or else from a secret of the same name. The server’s configuration file adds providers.">
            {!catalog.data ? (
              <SkeletonRows rows={3} height={32} />
            ) : (
              <ul>
                {catalog.data.providers.map((provider) => (
                  <ProviderLine key={provider.name} provider={provider} models={catalog.data.models} />
                ))}
              </ul>
            )}
          </Section>
          <Section title="Default models" note="What llm nodes use that name no provider or model.">
            {bindings?.provider_bindings.length ? (
              <ul>
                {bindings.provider_bindings.map((binding) => (
                  <li key={binding.id} className="flex h-8 items-center gap-3 border-b border-line/60">
                    <span className="w-40 truncate font-medium">
                      {binding.workflow_id ? (workflows?.find((workflow) => workflow.id === binding.workflow_id)?.name ?? binding.workflow_id) : "Every workflow"}
                    </span>
                    <span>
                      {binding.provider} {binding.model}
                    </span>
                    {binding.temperature != null && <span className="num text-muted">temperature {binding.temperature}</span>}
                  </li>
                ))}
              </ul>
            ) : (
              <p className="text-muted">None is set.</p>
            )}
          </Section>
          <Section
            title="Prices"
            note={catalog.data && `${plural(catalog.data.models.length, "model")}, from ${catalog.data.prices_source}, taken on ${catalog.data.prices_date}. Per million tokens.`}
          >
            {catalog.data && <Prices models={catalog.data.models} />}
          </Section>
          <SecretsSection providers={catalog.data?.providers ?? []} />
          <KeysSection />
          <RetentionSection />
          <Section title="Tools" note="What tool nodes can call.">
            <ul>
              {catalog.data?.tools.map((tool) => (
                <li key={tool.name} className="flex flex-wrap gap-x-3 border-b border-line/60 py-1.5">
                  <span className="w-40 shrink-0 font-medium">{tool.name}</span>
                  <span className="min-w-0 flex-1 basis-60 text-muted">{tool.description}</span>
                </li>
              ))}
            </ul>
          </Section>
          <Section title="Answer cache" note="Answers that llm steps with a cache reuse.">
            <ClearCache />
          </Section>
          <Section title="Look">
            <ThemeChoices />
          </Section>
          <Section title="This server">
            <dl className="grid grid-cols-[minmax(72px,160px)_minmax(0,1fr)] gap-x-3 gap-y-1">
              <dt className="text-muted">Version</dt>
              <dd className="num">{version ? version.version : "—"}</dd>
              <dt className="text-muted">Commit</dt>
              <dd className="font-mono text-xs leading-5 break-all">{version?.git_sha ?? "—"}</dd>
              <dt className="text-muted">Health</dt>
              <dd>
                {health.isError ? <span className="text-bad">{messageOf(health.error)}</span> : health.data ? <span className="text-ok">the server and its store answer</span> : "—"}
              </dd>
              <dt className="text-muted">Models</dt>
              <dd>{version ? (version.simulated ? "simulated: nothing is sent out" : "real") : "—"}</dd>
              <dt className="text-muted">Access</dt>
              <dd className="flex items-center gap-3">
                {session ? (session.token_required ? "with a token" : "from this machine only, without a token") : "—"}
                {session?.token_required && <SignOut />}
              </dd>
            </dl>
          </Section>
        </div>
      </div>
    </>
  );
}

function ClearCache() {
  const clear = useMutation({
    mutationFn: () => api.clearCache(),
    onSuccess: ({ removed }) => toast(removed === 0 ? "The cache was empty." : `${count(removed)} ${removed === 1 ? "answer was" : "answers were"} forgotten.`),
    onError: (error) => toast(messageOf(error), { tone: "bad" }),
  });
  return (
    <Button onClick={() => clear.mutate()} disabled={clear.isPending}>
      Forget every answer
    </Button>
  );
}

function ThemeChoices() {
  const { choice } = useTheme();
  return (
    <fieldset className="flex gap-4">
      <legend className="sr-only">Theme</legend>
      {(["system", "light", "dark"] as ThemeChoice[]).map((theme) => (
        <label key={theme} className="flex items-center gap-1.5">
          <input type="radio" name="theme" checked={choice === theme} onChange={() => setTheme(theme)} className="accent-accent" />
          {theme === "system" ? "as the system" : theme}
        </label>
      ))}
    </fieldset>
  );
}

function SignOut() {
  const leave = useMutation({ mutationFn: () => api.signOut(), onSuccess: () => setLocked(true) });
  return <Button onClick={() => leave.mutate()}>Sign out</Button>;
}
