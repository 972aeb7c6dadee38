import { api } from "@/api/client";
import { messageOf } from "@/api/problem";
import { secretsQuery } from "@/api/queries";
import type { Catalog, Secret } from "@/api/types";
import { Button } from "@/ui/button";
import { ErrorBanner, SkeletonRows } from "@/ui/feedback";
import { Field, Input, TextArea } from "@/ui/field";
import { Ago } from "@/ui/time";
import { toast } from "@/ui/toast";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { TriangleAlert } from "lucide-react";
import { useId, useRef, useState } from "react";
import { Confirm } from "./Confirm";
import { secretNameProblem, secretValueProblem, usersOf, variableOf } from "./rules";
import { Section } from "./Section";

/** Secrets go in here and never come out. */
export function SecretsSection({ providers }: { providers: Catalog["providers"] }) {
  const { data, error, refetch } = useQuery(secretsQuery);
  const [name, setName] = useState("");
  const [deleting, setDeleting] = useState<Secret>();
  const value = useRef<HTMLTextAreaElement>(null);
  return (
    <Section
      title="Secrets"
      note={
        <p>
          Stored encrypted, used by tools and providers when they are called, and taken out of whatever comes back. No page and no answer ever shows one. In a tool,{" "}
          <code className="font-mono text-xs">{'{"$secret": "crm-key"}'}</code> stands for the secret <code className="font-mono text-xs">crm-key</code>.
        </p>
      }
    >
      {error && <ErrorBanner message={messageOf(error)} onRetry={() => void refetch()} />}
      {data?.key.problem && <ErrorBanner message={data.key.problem} onRetry={() => void refetch()} />}
      {!data ? (
        !error && <SkeletonRows rows={2} height={32} label="Loading the secrets" />
      ) : data.secrets.length === 0 ? (
        <p className="text-muted">No secret is set.</p>
      ) : (
        <ul aria-label="Secrets that are set">
          {data.secrets.map((secret) => (
            <SecretLine
              key={secret.name}
              secret={secret}
              onReplace={() => {
                setName(secret.name);
                value.current?.focus();
              }}
              onDelete={() => setDeleting(secret)}
            />
          ))}
        </ul>
      )}
      <SecretForm name={name} onName={setName} taken={data?.secrets.map((secret) => secret.name) ?? []} providers={providers} value={value} />
      {data?.key.file && data.key.status === "ready" && (
        <p className="mt-2 text-xs break-words text-muted">
          The key that opens them is in <code className="font-mono">{data.key.file}</code> on the server, apart from the data. A backup needs both.
        </p>
      )}
      {deleting && <DeleteSecret secret={deleting} onClose={() => setDeleting(undefined)} />}
    </Section>
  );
}

function SecretLine({ secret, onReplace, onDelete }: { secret: Secret; onReplace: () => void; onDelete: () => void }) {
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-0.5 border-b border-line/60 py-1">
      <span className="w-full min-w-0 font-mono text-xs break-all sm:w-56">{secret.name}</span>
      <span className="text-muted">
        for {usersOf(secret)}, set <Ago at={secret.set_at} />
      </span>
      <span className="ml-auto flex gap-2">
        <Button onClick={onReplace} aria-label={`Replace ${secret.name}`}>
          Replace
        </Button>
        <Button onClick={onDelete} aria-label={`Delete ${secret.name}`}>
          Delete
        </Button>
      </span>
      {!secret.usable && <Note bad>It cannot be opened with the key of this server, so nothing can use it: set it again.</Note>}
      {secret.shadowed_by && <Note>The server’s variable {secret.shadowed_by} is set too and comes first, so this value is not used.</Note>}
    </li>
  );
}

function Note({ bad, children }: { bad?: boolean; children: React.ReactNode }) {
  return (
    <p className={`flex w-full items-start gap-1.5 text-xs break-words ${bad ? "text-bad" : "text-warn"}`}>
      <TriangleAlert size={13} className="mt-px shrink-0" aria-hidden />
      <span className="min-w-0">{children}</span>
    </p>
  );
}

function SecretForm({
  name,
  onName,
  taken,
  providers,
  value: field,
}: {
  name: string;
  onName: (name: string) => void;
  taken: string[];
  providers: Catalog["providers"];
  value: React.RefObject<HTMLTextAreaElement | null>;
}) {
  const client = useQueryClient();
  const names = useId();
  const [value, setValue] = useState("");
  const [shown, setShown] = useState(false);
  const save = useMutation({
    mutationFn: () => api.putSecret(name, value),
    onSuccess: (secret) => {
      toast(`${secret.name} is ${taken.includes(secret.name) ? "replaced" : "set"}.`);
      onName("");
      setValue("");
      setShown(false);
      void client.invalidateQueries({ queryKey: secretsQuery.queryKey });
      // A provider may have got its key.
      void client.invalidateQueries({ queryKey: ["catalog"] });
    },
  });
  const provider = providers.find((each) => each.key_name === name);
  const nameProblem = secretNameProblem(name);
  const valueProblem = secretValueProblem(value) ?? (save.error ? messageOf(save.error) : undefined);
  const hint = provider ? `The key of ${provider.name}, and of nothing else: no workflow can use it.` : name && !nameProblem ? `For workflows. ${variableOf(name)} in the environment would come first.` : undefined;
  return (
    <form
      aria-label="Set a secret"
      className="mt-3 grid grid-cols-[minmax(0,1fr)] items-start gap-x-3 gap-y-2 sm:grid-cols-[14rem_minmax(0,1fr)_auto]"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Field label="Name" error={nameProblem} hint={hint}>
        {(ids) => (
          <>
            <Input {...ids} list={names} className="font-mono" required autoComplete="off" spellCheck={false} autoCapitalize="off" placeholder="crm-key" value={name} onChange={(event) => onName(event.target.value.trim())} />
            <datalist id={names}>
              {providers.map((each) => each.key_name && <option key={each.name} value={each.key_name} />)}
            </datalist>
          </>
        )}
      </Field>
      <Field label="Value" error={valueProblem}>
        {(ids) => (
          <>
            <TextArea
              {...ids}
              ref={field}
              rows={Math.min(5, value.split("\n", 5).length)}
              required
              autoComplete="off"
              spellCheck={false}
              autoCapitalize="off"
              // Dots instead of characters, as in a password field, which could hold one line only.
              style={{ WebkitTextSecurity: shown ? "none" : "disc" } as React.CSSProperties}
              value={value}
              onChange={(event) => {
                setValue(event.target.value);
                save.reset();
              }}
              className="min-h-7 resize-y"
            />
            <label className="flex w-fit items-center gap-1.5 text-xs text-muted">
              <input type="checkbox" checked={shown} onChange={(event) => setShown(event.target.checked)} className="accent-accent" />
              Show what is typed
            </label>
          </>
        )}
      </Field>
      <Button type="submit" variant="primary" className="w-fit sm:mt-[22px]" disabled={!name || !value || !!nameProblem || !!secretValueProblem(value) || save.isPending}>
        {taken.includes(name) ? "Replace secret" : "Set secret"}
      </Button>
    </form>
  );
}

function DeleteSecret({ secret, onClose }: { secret: Secret; onClose: () => void }) {
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: () => api.deleteSecret(secret.name),
    onSuccess: () => {
      toast(`${secret.name} is deleted.`);
      onClose();
    },
    onSettled: () => {
      void client.invalidateQueries({ queryKey: secretsQuery.queryKey });
      void client.invalidateQueries({ queryKey: ["catalog"] });
    },
  });
  return (
    <Confirm title={`Delete ${secret.name}?`} action="Delete secret" pending={remove.isPending} error={remove.error} onConfirm={() => remove.mutate()} onClose={onClose}>
      <p>Calls of {usersOf(secret)} that need it fail from now on. Nobody can read it, so nobody can bring it back.</p>
    </Confirm>
  );
}
