/** From time to place: linear, but stretches in which nothing happened are folded to a narrow mark. */

export interface Span {
  start: number;
  end: number;
}

export interface Fold extends Span {
  /** Where the mark stands, 0 to 1. */
  from: number;
  to: number;
}

export interface Scale {
  start: number;
  end: number;
  /** 0 to 1. */
  at: (time: number) => number;
  folds: Fold[];
}

/** Idle time is folded if it is longer than this part of the whole, and than this many milliseconds. */
const FOLD_SHARE = 0.2;
const FOLD_LEAST_MS = 2_000;
const MARK = 0.04;

/** Spans joined where they touch, in order. */
export function union(spans: readonly Span[]): Span[] {
  const sorted = [...spans].sort((a, b) => a.start - b.start);
  const joined: Span[] = [];
  for (const { start, end } of sorted) {
    const last = joined.at(-1);
    if (last && start <= last.end) last.end = Math.max(last.end, end);
    else joined.push({ start, end });
  }
  return joined;
}

export const total = (spans: readonly Span[]) => spans.reduce((sum, span) => sum + span.end - span.start, 0);

export function makeScale(start: number, end: number, busy: readonly Span[]): Scale {
  const length = Math.max(1e-6, end - start);
  const idle: Span[] = [];
  let at = start;
  for (const span of union(busy)) {
    if (span.end < start || span.start > end) continue;
    if (span.start > at) idle.push({ start: at, end: Math.min(span.start, end) });
    at = Math.max(at, span.end);
  }
  if (at < end) idle.push({ start: at, end });
  const folded = idle.filter((gap) => gap.end - gap.start > Math.max(FOLD_LEAST_MS, length * FOLD_SHARE));
  const linear = length - total(folded);
  const room = linear > 0 ? 1 - MARK * folded.length : 0;
  const mark = linear > 0 ? MARK : 1 / Math.max(1, folded.length);
  const perMs = linear > 0 ? room / linear : 0;

  const folds: Fold[] = [];
  let place = 0;
  let time = start;
  for (const gap of folded) {
    place += (gap.start - time) * perMs;
    folds.push({ ...gap, from: place, to: place + mark });
    place += mark;
    time = gap.end;
  }
  return {
    start,
    end,
    folds,
    at: (when) => {
      let place = 0;
      let time = start;
      const clamped = Math.min(end, Math.max(start, when));
      for (const fold of folds) {
        if (clamped <= fold.start) break;
        place = fold.to;
        time = fold.end;
        if (clamped < fold.end) return fold.from + ((clamped - fold.start) / (fold.end - fold.start)) * (fold.to - fold.from);
      }
      return Math.min(1, place + (clamped - time) * perMs);
    },
  };
}

/** Round times for the axis: at most `most` of them, in steps of 1, 2 or 5. */
export function ticks(length: number, most: number): number[] {
  if (length <= 0 || most < 1) return [0];
  const rough = length / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? rough;
  return Array.from({ length: Math.floor(length / step + 1e-9) + 1 }, (_, index) => index * step);
}

/** An end after the given one that stays the same while that one moves a little: the next half of its order of magnitude. */
export function roomy(start: number, end: number): number {
  const length = Math.max(1, end - start);
  const step = 10 ** Math.floor(Math.log10(length)) / 2;
  return start + Math.ceil(length / step) * step;
}
