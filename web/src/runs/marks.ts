import { duration } from "@/ui/format";
import { ticks, type Fold, type Scale } from "./scale";

/** Something to write at a place of the time axis. */
export interface Mark {
  /** 0 to 1. */
  at: number;
  /** The longest first; the first that has room is written. */
  texts: string[];
  /** Stands in the middle of its place, and not after it. */
  centred?: boolean;
}

export interface PlacedMark {
  text: string;
  /** Of the text, in pixels. */
  left: number;
  /** Of what it is about. */
  at: number;
  centred: boolean;
}

/** A digit of the axis; text is estimated, because measuring it would lay the page out once more. */
const CHARACTER = 7;
const PADDING = 8;
const APART = 4;

/** Texts that have room beside one another. Those that come first get it first; all of them stay within the axis. */
export function placeMarks(marks: readonly Mark[], width: number): PlacedMark[] {
  const placed: (PlacedMark & { right: number })[] = [];
  for (const { at, texts, centred = false } of marks) {
    for (const text of texts) {
      const needs = text.length * CHARACTER + PADDING;
      const wanted = at * width - (centred ? needs / 2 : 0);
      const left = Math.max(0, Math.min(wanted, width - needs));
      const right = left + needs;
      if (needs > width || placed.some((other) => left < other.right + APART && right + APART > other.left)) continue;
      placed.push({ text, left, right, at, centred });
      break;
    }
  }
  return placed.map(({ text, left, at, centred }) => ({ text, left, at, centred }));
}

/**
 * What the axis says: how long each folded stretch is, where it begins, and round times where nothing is folded.
 * `until`: when the run ended, or now.
 */
export function marksOf(scale: Scale, origin: number, until: number, waitedFor: (fold: Fold) => string | undefined): Mark[] {
  const at = (time: number): Mark => ({ at: scale.at(time), texts: [duration(time - origin)] });
  const { folds, start, end } = scale;
  if (folds.length === 0) {
    const round = ticks(end - start, 4).map((mark) => at(start + mark));
    // Where not all have room, every other one goes first.
    return [...round.filter((_, index) => index % 2 === 0), ...round.filter((_, index) => index % 2 === 1)];
  }
  const labels = folds.map((fold): Mark => {
    const long = duration(Math.max(0, Math.min(fold.end, until) - fold.start));
    const why = waitedFor(fold);
    return { at: (fold.from + fold.to) / 2, texts: [`${long} ${why ?? "idle"}`, ...(why ? [`${long} waiting`] : []), long], centred: true };
  });
  const last = folds.at(-1);
  return [...labels, at(start), ...(last && last.to < 0.99 ? [at(end)] : []), ...folds.map((fold) => at(fold.start))];
}
