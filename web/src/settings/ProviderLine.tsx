import { api } from "@/api/client";
import { messageOf } from "@/api/problem";
import type { Catalog } from "@/api/types";
import { Button } from "@/ui/button";
import { Chip } from "@/ui/chip";
import { Input } from "@/ui/field";
import { count, duration, usd } from "@/ui/format";
import { useMutation } from "@tanstack/react-query";
import { CircleCheck, CircleSlash, CircleX } from "lucide-react";
import { useId, useState } from "react";
import { keyOrigin } from "./rules";

/** One provider, and whether it really answers: a small call, made when it is asked for. */
export function ProviderLine({ provider, models }: { provider: Catalog["providers"][number]; models: Catalog["models"] }) {
  const own = models.filter((model) => model.provider === provider.name);
  const [model, setModel] = useState("");
  const list = useId();
  const test = useMutation({ mutationFn: () => api.testProvider(provider.name, model.trim() || null) });
  return (
    <li className="border-b border-line/60 py-1">
      <form
        className="flex flex-wrap items-center gap-x-3 gap-y-1"
        onSubmit={(event) => {
          event.preventDefault();
          test.mutate();
        }}
      >
        <span className="w-24 truncate font-medium sm:w-28">{provider.name}</span>
        <span className="sm:w-32">
          {provider.configured ? (
            <span className="flex items-center gap-1.5 text-ok">
              <CircleCheck size={14} aria-hidden /> configured
            </span>
          ) : (
            <span className="flex items-center gap-1.5 text-muted">
              <CircleSlash size={14} aria-hidden /> not configured
            </span>
          )}
        </span>
        {provider.simulated ? <Chip tone="warn">simulated</Chip> : <span className="min-w-0 text-xs break-words text-muted">{keyOrigin(provider)}</span>}
        {provider.configured && (
          <span className="flex w-full items-center gap-2 sm:ml-auto sm:w-auto">
            <Input
              aria-label={`Model of ${provider.name} to test`}
              list={list}
              placeholder={own.length > 0 ? "usual model" : "model"}
              value={model}
              maxLength={200}
              onChange={(event) => setModel(event.target.value)}
              className="min-w-0 flex-1 sm:!w-36 sm:flex-none"
            />
            <datalist id={list}>
              {own.map((each) => (
                <option key={each.model} value={each.model} />
              ))}
            </datalist>
            <Button type="submit" disabled={test.isPending} aria-label={`Test ${provider.name}`} title="Makes one small real call: at most 16 tokens">
              {test.isPending ? "Testing" : "Test"}
            </Button>
          </span>
        )}
      </form>
      <div role="status" className="empty:hidden">
        {test.error ? <Failed text={messageOf(test.error)} /> : test.data && <Result result={test.data} />}
      </div>
    </li>
  );
}

function Result({ result }: { result: Awaited<ReturnType<typeof api.testProvider>> }) {
  if (!result.ok) return <Failed text={`${result.model}: ${result.error?.message ?? "it failed without saying why."}`} />;
  const facts = [
    duration(result.latency_ms),
    result.first_token_ms != null && `first token after ${duration(result.first_token_ms)}`,
    result.tokens != null && `${count(result.tokens)} tokens`,
    result.simulated ? "simulated, so nothing was spent" : result.cost_nanousd == null ? "cost unknown" : usd(result.cost_nanousd),
  ];
  return (
    <p className="num flex items-center gap-1.5 !whitespace-normal text-ok">
      <CircleCheck size={14} className="shrink-0" aria-hidden />
      {result.answered_by ?? result.model} answered: {facts.filter(Boolean).join(", ")}.
    </p>
  );
}

function Failed({ text }: { text: string }) {
  return (
    <p className="flex items-start gap-1.5 break-words text-bad">
      <CircleX size={14} className="mt-[3px] shrink-0" aria-hidden />
      <span className="min-w-0">{text}</span>
    </p>
  );
}
