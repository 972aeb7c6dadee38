import { api } from "@/api/client";
import { messageOf } from "@/api/problem";
import { keysQuery } from "@/api/queries";
import type { AccessKey, CreatedKey, KeyScope } from "@/api/types";
import { Button } from "@/ui/button";
import { Chip } from "@/ui/chip";
import { CopyButton } from "@/ui/copy";
import { ErrorBanner, SkeletonRows } from "@/ui/feedback";
import { Field, Input, Select } from "@/ui/field";
import { Ago } from "@/ui/time";
import { toast } from "@/ui/toast";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { Confirm } from "./Confirm";
import { Section } from "./Section";

const scopes: Record<KeyScope, string> = { all: "everything", ingest: "only send spans and scores" };

/** Keys for programs and people, each to be revoked alone. */
export function KeysSection() {
  const { data, error, refetch } = useQuery(keysQuery);
  const [made, setMade] = useState<CreatedKey>();
  const [revoking, setRevoking] = useState<AccessKey>();
  return (
    <Section
      title="Access keys"
      note={
        <>
          <p>For SDKs, scripts and colleagues, besides the token of the server: one key each, so that one can be revoked and the others go on.</p>
          {data && !data.required && (
            <p className="mt-1">
              This server answers this machine only and asks nobody for a key. Keys count as soon as it has a token (<code className="font-mono text-xs">--token-file</code>) or listens on another address (
              <code className="font-mono text-xs">--listen</code>).
            </p>
          )}
        </>
      }
    >
      {error && <ErrorBanner message={messageOf(error)} onRetry={() => void refetch()} />}
      {!data ? (
        !error && <SkeletonRows rows={2} height={32} label="Loading the access keys" />
      ) : data.keys.length === 0 ? (
        <p className="text-muted">There is no access key.</p>
      ) : (
        <ul aria-label="Access keys that count">
          {data.keys.map((key) => (
            <li key={key.id} className="flex flex-wrap items-center gap-x-3 gap-y-0.5 border-b border-line/60 py-1">
              <span className="w-full min-w-0 font-medium break-all sm:w-40">{key.name}</span>
              <span className="font-mono text-xs text-muted">{key.hint}…</span>
              <Chip tone={key.scope === "all" ? "accent" : "neutral"} title={`It may ${key.scope === "all" ? "do everything" : scopes.ingest}`}>
                {key.scope}
              </Chip>
              <span className="text-muted">
                made <Ago at={key.created_at} />,{" "}
                {key.last_used_at ? (
                  <span title="To about an hour">
                    last used <Ago at={key.last_used_at} />
                  </span>
                ) : (
                  "never used"
                )}
              </span>
              <Button onClick={() => setRevoking(key)} aria-label={`Revoke ${key.name}`} className="ml-auto">
                Revoke
              </Button>
            </li>
          ))}
        </ul>
      )}
      {made ? <MadeKey made={made} onDone={() => setMade(undefined)} /> : <KeyForm onMade={setMade} />}
      {revoking && <RevokeKey accessKey={revoking} onClose={() => setRevoking(undefined)} />}
    </Section>
  );
}

function KeyForm({ onMade }: { onMade: (key: CreatedKey) => void }) {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [scope, setScope] = useState<KeyScope>("all");
  const create = useMutation({
    mutationFn: () => api.createKey(name.trim(), scope),
    onSuccess: (key) => {
      onMade(key);
      void client.invalidateQueries({ queryKey: keysQuery.queryKey });
    },
  });
  return (
    <form
      aria-label="Make an access key"
      className="mt-3 grid grid-cols-[minmax(0,1fr)] items-start gap-x-3 gap-y-2 sm:grid-cols-[14rem_minmax(0,16rem)_auto]"
      onSubmit={(event) => {
        event.preventDefault();
        create.mutate();
      }}
    >
      <Field label="Name of the key" error={create.error ? messageOf(create.error) : undefined}>
        {(ids) => (
          <Input
            {...ids}
            required
            maxLength={100}
            autoComplete="off"
            placeholder="Who or what uses it"
            value={name}
            onChange={(event) => {
              setName(event.target.value);
              create.reset();
            }}
          />
        )}
      </Field>
      <Field label="It may">
        {(ids) => (
          <Select {...ids} value={scope} onChange={(event) => setScope(event.target.value as KeyScope)}>
            <option value="all">do everything</option>
            <option value="ingest">{scopes.ingest}</option>
          </Select>
        )}
      </Field>
      <Button type="submit" variant="primary" className="w-fit sm:mt-[22px]" disabled={!name.trim() || create.isPending}>
        Make key
      </Button>
    </form>
  );
}

/** The only time that a key is to be seen. */
function MadeKey({ made, onDone }: { made: CreatedKey; onDone: () => void }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.focus(), []);
  return (
    <div ref={box} tabIndex={-1} role="group" aria-label={`The key ${made.name}`} className="mt-3 grid gap-2 border-l-2 border-accent py-1 pl-3">
      <p>
        This is the key <strong className="font-medium">{made.name}</strong>. Copy it now: it is kept as a hash, so it is never shown again.
      </p>
      <code className="font-mono text-xs break-all select-all">{made.key}</code>
      <p className="text-xs text-muted">
        Send it as <code className="font-mono">Authorization: Bearer …</code>, or where an SDK takes its vendor’s key.
      </p>
      <div className="flex gap-2">
        <CopyButton variant="plain" text={() => made.key}>Copy key</CopyButton>
        <Button onClick={onDone}>Done</Button>
      </div>
    </div>
  );
}

function RevokeKey({ accessKey, onClose }: { accessKey: AccessKey; onClose: () => void }) {
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => api.revokeKey(accessKey.id),
    onSuccess: () => {
      toast(`${accessKey.name} is revoked.`);
      onClose();
    },
    onSettled: () => void client.invalidateQueries({ queryKey: keysQuery.queryKey }),
  });
  return (
    <Confirm title={`Revoke ${accessKey.name}?`} action="Revoke key" pending={revoke.isPending} error={revoke.error} onConfirm={() => revoke.mutate()} onClose={onClose}>
      <p>
        Whoever uses <code className="font-mono text-xs">{accessKey.hint}…</code> is refused from now on. A revoked key cannot be brought back, but a new one can be made.
      </p>
    </Confirm>
  );
}
