import { api } from "@/api/client";
import { messageOf } from "@/api/problem";
import { retentionQuery } from "@/api/queries";
import type { Retention } from "@/api/types";
import { Button } from "@/ui/button";
import { ErrorBanner, SkeletonRows } from "@/ui/feedback";
import { Input } from "@/ui/field";
import { bytes, count, exactTime, plural, UNKNOWN } from "@/ui/format";
import { toast } from "@/ui/toast";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";
import { Confirm } from "./Confirm";
import { daysText, parseDays, removalText, sourceText } from "./rules";
import { Section } from "./Section";

/** How long traces are kept, and what there is of them. */
export function RetentionSection() {
  const { data, error, refetch } = useQuery(retentionQuery);
  return (
    <Section
      title="Retention"
      note="Traces go when they are too old, whole weeks at once, so up to a week later than said. Pinned ones stay. The runs of this engine stay as well: what goes of them is their copy among the traces."
    >
      {error && <ErrorBanner message={messageOf(error)} onRetry={() => void refetch()} />}
      {!data ? (
        !error && <SkeletonRows rows={3} height={24} label="Loading what is kept" />
      ) : (
        <>
          <dl className="grid grid-cols-[minmax(72px,160px)_minmax(0,1fr)] gap-x-3 gap-y-1">
            <dt className="text-muted">Kept</dt>
            <dd>
              <strong className="font-medium">{daysText(data.days)}</strong> <span className="text-muted">({sourceText(data)})</span>
            </dd>
            <dt className="text-muted">Stored</dt>
            <dd className="num !whitespace-normal">
              {plural(data.traces, "trace")}, {bytes(data.bytes)}
            </dd>
            <dt className="text-muted">Oldest</dt>
            <dd className="num" title={data.oldest_at ? exactTime(data.oldest_at) : "There are no traces"}>
              {data.oldest_at ? new Intl.DateTimeFormat("en-GB", { dateStyle: "medium" }).format(new Date(data.oldest_at)) : UNKNOWN}
            </dd>
            <dt className="text-muted">Pinned</dt>
            <dd className="num">{count(data.pinned_traces)}</dd>
          </dl>
          {/* Starts again with what counts, when that changes. */}
          <DaysForm key={`${data.days} ${data.source}`} retention={data} />
        </>
      )}
    </Section>
  );
}

function DaysForm({ retention }: { retention: Retention }) {
  const client = useQueryClient();
  const id = useId();
  const [forever, setForever] = useState(retention.days === 0);
  const [text, setText] = useState(String(retention.days || retention.file_days || retention.default_days));
  const [asking, setAsking] = useState<{ days: number | null; sentence: string }>();

  const put = useMutation({
    mutationFn: ({ days, confirm }: { days: number | null; confirm: boolean }) => api.putRetention(days, confirm),
    onSuccess: (now) => {
      setAsking(undefined);
      client.setQueryData(retentionQuery.queryKey, now);
      toast(`Traces are kept ${daysText(now.days)} now.`);
      // What goes is gone in a moment.
      setTimeout(() => void client.invalidateQueries({ queryKey: retentionQuery.queryKey }), 1500);
    },
  });
  const look = useMutation({
    mutationFn: (days: number | null) => api.retention(days ?? retention.file_days ?? retention.default_days),
    onSuccess: ({ would_remove }, days) => {
      const sentence = would_remove ? removalText(would_remove) : undefined;
      if (sentence) setAsking({ days, sentence });
      else put.mutate({ days, confirm: false });
    },
  });

  const read = forever ? { days: 0 } : parseDays(text);
  const problem = "error" in read ? read.error : undefined;
  const failed = look.error ?? (asking ? undefined : put.error);
  const otherwise = retention.file_days ?? retention.default_days;
  // Beside the form, because a form in a form would send both.
  return (
    <>
      <form
        aria-label="Change how long traces are kept"
        className="mt-3 flex flex-wrap items-center gap-x-3 gap-y-2"
        onSubmit={(event) => {
          event.preventDefault();
          if ("days" in read) look.mutate(read.days);
        }}
      >
        <span className="flex items-center gap-2">
          <label htmlFor={id}>Keep traces for</label>
          <Input
            id={id}
            inputMode="numeric"
            className="num !w-20"
            value={forever ? "" : text}
            disabled={forever}
            aria-invalid={problem ? true : undefined}
            aria-describedby={problem ? `${id}-note` : undefined}
            onChange={(event) => setText(event.target.value)}
          />
          days
        </span>
        <label className="flex items-center gap-1.5">
          <input type="checkbox" checked={forever} onChange={(event) => setForever(event.target.checked)} className="accent-accent" />
          for ever
        </label>
        <Button type="submit" variant="primary" disabled={!("days" in read) || read.days === retention.days || look.isPending || put.isPending}>
          Save
        </Button>
        {retention.source === "settings" && (
          <Button disabled={look.isPending || put.isPending} onClick={() => look.mutate(null)}>
            {retention.file_days == null ? `Back to the default, ${daysText(otherwise)}` : `As the file says: ${daysText(otherwise)}`}
          </Button>
        )}
        {problem && (
          <p id={`${id}-note`} className="w-full text-xs text-bad">
            {problem}
          </p>
        )}
        {failed && (
          <p role="alert" className="w-full break-words text-bad">
            {messageOf(failed)}
          </p>
        )}
      </form>
      {asking && (
        <Confirm
          title="Remove old traces?"
          action="Remove them"
          pending={put.isPending}
          error={put.error}
          onConfirm={() => put.mutate({ days: asking.days, confirm: true })}
          onClose={() => {
            setAsking(undefined);
            put.reset();
          }}
        >
          <p>{asking.sentence}</p>
        </Confirm>
      )}
    </>
  );
}
