import type { Step } from "@/api/types";
import { useTheme } from "@/ui/theme";
import { useEffect, useRef } from "react";
import { ms } from "./attempts";

const HEIGHT = 32;
const tokens: Record<string, string> = {
  succeeded: "--ok-fill",
  failed: "--bad-fill",
  running: "--run-fill",
  waiting: "--warn-fill",
  skipped: "--idle-fill",
  canceled: "--idle-fill",
};

/** The whole run in one strip, rows from top to bottom, with the part that the rows below show. A click goes there. */
export function Minimap({
  steps,
  start,
  end,
  from,
  to,
  onPick,
}: {
  steps: Step[];
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
    const rowHeight = Math.max(1, (HEIGHT - 4) / steps.length);
    const draw = (step: Step, index: number, least: number) => {
      if (!step.started_at) return;
      context.fillStyle = colours[step.status] ?? "";
      const x = place(ms(step.started_at));
      context.fillRect(x, 2 + (index / steps.length) * (HEIGHT - 4), Math.max(least, place(step.finished_at ? ms(step.finished_at) : end) - x), Math.max(rowHeight, least));
    };
    steps.forEach((step, index) => draw(step, index, 1));
    // Failures last and larger: they are what one looks for.
    steps.forEach((step, index) => step.status === "failed" && draw(step, index, 3));
  }, [steps, start, end, length, dark]);

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
          const index = steps.findIndex((step) => step.started_at && ms(step.started_at) >= time);
          onPick(index < 0 ? steps.length - 1 : index);
        }}
      />
      <div className="pointer-events-none absolute inset-y-0 border border-accent bg-accent/10" style={{ left: `${left}%`, width: `${Math.max(0.4, width)}%` }} />
    </div>
  );
}
