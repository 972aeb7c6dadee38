import type { Step } from "@/api/types";
import { Button } from "@/ui/button";
import { duration, exactTime, firstLine } from "@/ui/format";
import { TriangleAlert } from "lucide-react";
import type { Attempt } from "../attempts";
import { errorText } from "../errorText";
import { Pairs, Section } from "./Section";

/** The failure in a strip above the tabs, so that it is seen beside the prompt. */
export function ErrorBox({ step, onOpen }: { step: Step; onOpen: () => void }) {
  const { error } = step;
  if (!error) return null;
  const over = step.status === "failed" || step.status === "canceled";
  return (
    <div className={over ? "flex items-start gap-2 bg-bad-soft px-4 py-1.5 text-bad" : "flex items-start gap-2 bg-warn-soft px-4 py-1.5 text-warn"}>
      <TriangleAlert size={14} className="mt-[3px] shrink-0" aria-hidden />
      <p className="line-clamp-4 min-w-0 flex-1 break-words">
        {!over && "The last attempt failed: "}
        {firstLine(errorText(error))}
      </p>
      <Button variant="ghost" onClick={onOpen}>
        Details
      </Button>
    </div>
  );
}

export function ErrorTab({ step, attempts }: { step: Step; attempts: Attempt[] }) {
  const { error } = step;
  if (!error) return null;
  const failed = attempts.filter((attempt) => attempt.error);
  return (
    <>
      <Section title="What happened">
        <p className="font-medium break-words whitespace-pre-wrap text-bad">{error.message}</p>
      </Section>
      <Section title="Facts">
        <Pairs
          pairs={[
            ["Code", error.code],
            ...(error.status == null ? [] : ([["HTTP status", error.status]] as [string, number][])),
            ...(error.retry_after_ms == null ? [] : ([["Retry-After", duration(error.retry_after_ms)]] as [string, string][])),
            ...(error.upstream_request_id ? ([["Upstream request", error.upstream_request_id]] as [string, string][]) : []),
            ["Attempts", step.attempts],
          ]}
        />
      </Section>
      {failed.length > 0 && (
        <Section title="Attempt by attempt">
          <ol className="grid gap-2">
            {failed.map((attempt) => (
              <li key={`${attempt.request}.${attempt.attempt}.${attempt.start}`} className="border-l-2 border-bad-fill pl-3">
                <span className="num text-muted" title={exactTime(attempt.start)}>
                  {[attempt.provider, attempt.model ?? attempt.tool].filter(Boolean).join(" ")}, attempt {attempt.attempt}, after {duration((attempt.end ?? attempt.start) - attempt.start)}
                </span>
                <p className="break-words whitespace-pre-wrap">
                  {attempt.error && errorText(attempt.error)}
                </p>
              </li>
            ))}
          </ol>
        </Section>
      )}
    </>
  );
}
