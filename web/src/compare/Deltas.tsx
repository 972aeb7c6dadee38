import type { RunSummary } from "@/api/types";
import { count, duration, shortId, UNKNOWN, usd } from "@/ui/format";
import { useNarrow } from "@/ui/media";
import { Status } from "@/ui/status";
import { Ago } from "@/ui/time";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { delta } from "./delta";

interface Props {
  a: RunSummary;
  b: RunSummary;
  nameOf: (run: RunSummary) => ReactNode;
}

const totals = [
  { name: "Time", of: (run: RunSummary) => run.total_latency_ms, format: duration },
  { name: "Tokens", of: (run: RunSummary) => run.total_tokens, format: count },
  { name: "Cost", of: (run: RunSummary) => run.total_cost_nanousd, format: usd },
  { name: "Retries", of: (run: RunSummary) => run.retries, format: count },
];

const toneOf = (change: ReturnType<typeof delta>) => (!change || change.sign === 0 ? "text-muted" : change.sign > 0 ? "text-warn" : "text-ok");

/** What the runs are, and what they took. */
export function Deltas(props: Props) {
  return useNarrow() ? <Down {...props} /> : <Across {...props} />;
}

/** On a phone a total is a row, so that nothing is off the edge. */
function Down({ a, b, nameOf }: Props) {
  return (
    <div className="shrink-0 border-b border-line bg-panel px-4 py-2" role="region" aria-label="Totals">
      {([["A", a], ["B", b]] as const).map(([letter, run]) => (
        <div key={letter} className="flex items-center gap-2 py-0.5">
          <span className="font-semibold">{letter}</span>
          <Status status={run.status} compact />
          <Link to="/runs/$id" params={{ id: run.id }} className="flex min-w-0 gap-1 font-medium hover:underline">
            {nameOf(run)}
          </Link>
          <span className="num ml-auto shrink-0 text-xs text-muted">{shortId(run.id)}</span>
        </div>
      ))}
      <table className="mt-1 w-full">
        <thead>
          <tr className="text-xs text-muted">
            {["Total", "A", "B", "B over A"].map((name, index) => (
              <th key={name} scope="col" className={index === 0 ? "text-left font-normal" : "pl-2 text-right font-normal"}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {totals.map(({ name, of, format }) => {
            const change = delta(of(a), of(b), format);
            return (
              <tr key={name}>
                <th scope="row" className="text-left text-xs font-normal text-muted">
                  {name}
                </th>
                {[a, b].map((run, index) => (
                  <td key={index} className="num pl-2 text-right">
                    {name === "Cost" && !run.cost_complete && "≥ "}
                    {format(of(run))}
                  </td>
                ))}
                <td className={`pl-2 text-right font-medium tabular-nums ${toneOf(change)}`} data-delta={name.toLowerCase()}>
                  {change?.text ?? UNKNOWN}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Across({ a, b, nameOf }: Props) {
  return (
    <div className="shrink-0 overflow-x-auto border-b border-line bg-panel px-4 py-2" tabIndex={0} role="region" aria-label="Totals">
      <table className="border-separate border-spacing-x-4 border-spacing-y-0.5 -mx-4">
        <thead>
          <tr className="text-xs text-muted">
            <th scope="col" className="text-left font-normal">
              <span className="sr-only">Run</span>
            </th>
            {totals.map(({ name }) => (
              <th key={name} scope="col" className="text-right font-normal">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {([["A", a], ["B", b]] as const).map(([letter, run]) => (
            <tr key={letter}>
              <th scope="row" className="text-left font-normal">
                <span className="flex items-center gap-2 whitespace-nowrap">
                  <span className="font-semibold">{letter}</span>
                  <Link to="/runs/$id" params={{ id: run.id }} className="flex max-w-[52ch] gap-1 font-medium hover:underline" title={`Run ${run.id}`}>
                    {nameOf(run)} <span className="num font-normal text-muted">{shortId(run.id)}</span>
                  </Link>
                  <Status status={run.status} />
                  <Ago at={run.started_at} className="text-muted" />
                </span>
              </th>
              {totals.map(({ name, of, format }) => (
                <td key={name} className="num text-right">
                  {name === "Cost" && !run.cost_complete && "≥ "}
                  {format(of(run))}
                </td>
              ))}
            </tr>
          ))}
          <tr className="font-medium">
            <th scope="row" className="text-left font-normal text-muted">
              B over A
            </th>
            {totals.map(({ name, of, format }) => {
              const change = delta(of(a), of(b), format);
              return (
                <td key={name} className={`num text-right ${toneOf(change)}`} data-delta={name.toLowerCase()}>
                  {change?.text ?? UNKNOWN}
                </td>
              );
            })}
          </tr>
        </tbody>
      </table>
    </div>
  );
}
