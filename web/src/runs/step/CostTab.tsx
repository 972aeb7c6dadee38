import type { Step, TraceEvent } from "@/api/types";
import { count, usd, usdPerMillion } from "@/ui/format";
import { None, Pairs, Section } from "./Section";
import { Value } from "@/ui/value";

interface CostLine {
  what: string;
  tokens: number;
  picousd_per_token: number;
  nanousd: number;
}

const lineNames: Record<string, string> = {
  input: "Input",
  cache_read: "Input from the provider's cache",
  cache_write: "Input written to the provider's cache",
  output: "Output",
};

/** Each priced line of each answer, and the usage as the provider sent it. */
export function CostTab({ step, events }: { step: Step; events: TraceEvent[] | undefined }) {
  const responses = events?.filter((event) => event.kind === "llm.response") ?? [];
  if (step.cached) {
    return (
      <Section title="The cache answered">
        <Pairs
          pairs={[
            ["Cost", usd(0)],
            ["Saved", step.saved_nanousd == null ? "unknown: the original call has no known price" : usd(step.saved_nanousd)],
          ]}
        />
      </Section>
    );
  }
  if (responses.length === 0) return <None>{step.finished_at ? "No model answered, so nothing was counted." : "Counted when the answer is complete."}</None>;
  return (
    <>
      {responses.map((event) => (
        <Response key={event.seq} event={event} />
      ))}
      <Section title="The step">
        <Pairs
          pairs={[
            ["Input tokens", count(step.tokens_input)],
            ["of them cached", count(step.tokens_cached)],
            ["Output tokens", count(step.tokens_output)],
            ["of them reasoning", count(step.tokens_reasoning)],
            ["Cost", step.cost_nanousd == null ? "unknown: the model has no known price" : usd(step.cost_nanousd)],
          ]}
        />
      </Section>
    </>
  );
}

function Response({ event }: { event: TraceEvent }) {
  const { payload } = event;
  const cost = payload.cost as { nanousd: number; lines: CostLine[] } | null | undefined;
  const lines = Array.isArray(cost?.lines) ? cost.lines : [];
  return (
    <>
      <Section title={`${String(payload.answered_by ?? payload.model ?? "Answer")}, price by price`}>
        {cost ? (
          <table className="w-full">
            <thead className="text-xs text-muted">
              <tr>
                <th scope="col" className="py-0.5 text-left font-normal">
                  Line
                </th>
                <th scope="col" className="text-right font-normal">
                  Tokens
                </th>
                <th scope="col" className="text-right font-normal">
                  Price
                </th>
                <th scope="col" className="text-right font-normal">
                  Cost
                </th>
              </tr>
            </thead>
            <tbody>
              {lines.map((line) => (
                <tr key={line.what} className="border-t border-line/60">
                  <td className="py-0.5">{lineNames[line.what] ?? line.what}</td>
                  <td className="num text-right">{count(line.tokens)}</td>
                  <td className="num text-right">{usdPerMillion(line.picousd_per_token)}</td>
                  <td className="num text-right">{usd(line.nanousd)}</td>
                </tr>
              ))}
            </tbody>
            <tfoot>
              <tr className="border-t border-line font-medium">
                <td className="py-0.5" colSpan={3}>
                  Sum
                </td>
                <td className="num text-right">{usd(cost.nanousd)}</td>
              </tr>
            </tfoot>
          </table>
        ) : (
          <None>{payload.usage == null ? "The provider sent no usage, so the cost is unknown." : "This model has no known price, so the cost is unknown."}</None>
        )}
      </Section>
      {payload.raw_usage != null && (
        <Section title="Usage as the provider sent it">
          <Value value={payload.raw_usage} name="usage" />
        </Section>
      )}
    </>
  );
}
