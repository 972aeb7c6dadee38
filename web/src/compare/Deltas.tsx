import type { RunSummary } from "@/api/types";
import { count, duration, shortId, usd } from "@/ui/format";
import { Status } from "@/ui/status";
import { Ago } from "@/ui/time";
import { Link } from "@tanstack/react-router";
import { delta } from "./delta";

/** What the runs are, and what they took. */
export function Deltas({ a, b, nameOf }: { a: RunSummary; b: RunSummary; nameOf: (run: RunSummary) => string }) {
  const totals = [
    { name: "Time", of: (run: RunSummary) => run.total_latency_ms, format: duration },
    { name: "Tokens", of: (run: RunSummary) => run.total_tokens, format: count },
    { name: "Cost", of: (run: RunSummary) => run.total_cost_nanousd, format: usd },
    { name: "Retries", of: (run: RunSummary) => run.retries, format: count },
  ];
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
                  <Link to="/runs/$id" params={{ id: run.id }} className="max-w-[11ch] truncate sm:max-w-[34ch] font-medium hover:underline" title={`${nameOf(run)}, run ${run.id}`}>
                    {nameOf(run)} <span className="num font-normal text-muted">{shortId(run.id)}</span>
                  </Link>
                  <span className="hidden sm:contents">
                    <Status status={run.status} />
                    <Ago at={run.started_at} className="text-muted" />
                  </span>
                  <span className="sm:hidden">
                    <Status status={run.status} compact />
                  </span>
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
                <td key={name} className={`num text-right ${!change || change.sign === 0 ? "text-muted" : change.sign > 0 ? "text-warn" : "text-ok"}`} data-delta={name.toLowerCase()}>
                  {change?.text ?? "—"}
                </td>
              );
            })}
          </tr>
        </tbody>
      </table>
    </div>
  );
}
