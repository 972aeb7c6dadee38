import type { Score } from "@/api/types";
import { Ago } from "@/ui/time";

const valueText = (value: unknown) => (typeof value === "string" ? value : (JSON.stringify(value) ?? ""));

/** What people and evaluators thought. */
export function ScoreList({ scores }: { scores: Score[] }) {
  return (
    <ul className="grid gap-2">
      {scores.map((score) => (
        <li key={score.id} className="flex flex-wrap items-baseline gap-x-3 border-l-2 border-accent/40 pl-3">
          <span className="font-medium break-words">{score.name}</span>
          <span className="num break-words !whitespace-normal">{valueText(score.value)}</span>
          {score.comment && <span className="break-words text-muted">{score.comment}</span>}
          <Ago at={score.at} className="ml-auto text-xs text-muted" />
        </li>
      ))}
    </ul>
  );
}
