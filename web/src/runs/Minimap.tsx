import { useTheme } from "@/ui/theme";
import { useEffect, useRef } from "react";
import { ms } from "./attempts";
import type { PathRow } from "./rows";

const HEIGHT = 32;
const tokens: Record<string, string> = {
  succeeded: "--ok-fill",
  failed: "--bad-fill",
  running: "--run-fill",
  waiting: "--warn-fill",
  skipped: "--idle-fill",
  canceled: "--idle-fill",
};

const startOf = ({ step, sum }: PathRow) => step?.started_at ?? sum?.start;
const statusOf = ({ step, sum }: PathRow): string => step?.status ?? (!sum || sum.failed > 0 ? "failed" : sum.active > 0 ? "running" : "succeeded");

/** The whole run in one strip, rows from top to bottom, with the part that the rows below show. A click goes there. */
export function Minimap({
  rows,
  start,
  end,
  from,
  to,
  onPick,
}: {
  rows: PathRow[];
  start: number;
  end: number;
  from: number;
  to: number;
  onPick: (index: number) => void;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { dark } = useTheme();
  const length = Math.max(1, end - start);

  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (!element || !context) return;
    const ratio = devicePixelRatio;
    const width = element.clientWidth;
    element.width = width * ratio;
    element.height = HEIGHT * ratio;
    context.scale(ratio, ratio);
    const style = getComputedStyle(document.documentElement);
    const colours = Object.fromEntries(Object.entries(tokens).map(([status, token]) => [status, style.getPropertyValue(token)]));
    const place = (time: number) => ((time - start) / length) * width;
    const rowHeight = Math.max(1, (HEIGHT - 4) / rows.length);
    const draw = (row: PathRow, index: number, least: number) => {
      const from = startOf(row);
      if (!from) return;
      const to = row.step ? row.step.finished_at : row.sum?.end;
      context.fillStyle = colours[statusOf(row)] ?? "";
      const x = place(ms(from));
      context.fillRect(x, 2 + (index / rows.length) * (HEIGHT - 4), Math.max(least, place(to ? ms(to) : end) - x), Math.max(rowHeight, least));
    };
    rows.forEach((row, index) => draw(row, index, 1));
    // Failures last and larger: they are what one looks for.
    rows.forEach((row, index) => statusOf(row) === "failed" && draw(row, index, 3));
  }, [rows, start, end, length, dark]);

  const left = Math.max(0, (from - start) / length) * 100;
  const width = Math.min(100 - left, ((to - from) / length) * 100);
  return (
    <div className="relative shrink-0 border-b border-line bg-panel" style={{ height: HEIGHT }}>
      <canvas
        ref={canvas}
        aria-hidden
        className="h-full w-full cursor-pointer"
        onClick={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          const time = start + ((event.clientX - box.left) / box.width) * length;
          const index = rows.findIndex((row) => ms(startOf(row) ?? "") >= time);
          onPick(index < 0 ? rows.length - 1 : index);
        }}
      />
      <div className="pointer-events-none absolute inset-y-0 border border-accent bg-accent/10" style={{ left: `${left}%`, width: `${Math.max(0.4, width)}%` }} />
    </div>
  );
}
