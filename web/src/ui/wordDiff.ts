/** One stretch of a comparison: text that both sides have, or only one of them. */
export interface Piece {
  kind: "same" | "removed" | "added";
  text: string;
}

/** Differences beyond which a comparison by words is given up for one by lines, and that for one of the whole: work grows with their square. */
const MOST_EDITS = 600;

// A word, a run of blanks, or one sign. Scripts without blanks are compared sign by sign.
const WORDS = /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Thai}|[\p{L}\p{M}\p{N}_]+|\s+|./gsu;
const LINES = /[^\n]*\n|[^\n]+$/g;

/** What has to be taken away from `before`, and added to it, to get `after`, word by word; all pieces together are both texts. */
export function wordDiff(before: string, after: string): Piece[] {
  if (before === after) return before === "" ? [] : [{ kind: "same", text: before }];
  return byParts(before.match(WORDS) ?? [], after.match(WORDS) ?? []) ?? byParts(before.match(LINES) ?? [], after.match(LINES) ?? []) ?? whole(before, after);
}

function whole(before: string, after: string): Piece[] {
  const pieces: Piece[] = [
    { kind: "removed", text: before },
    { kind: "added", text: after },
  ];
  return pieces.filter((piece) => piece.text !== "");
}

/** `null` if there are too many differences. */
function byParts(before: string[], after: string[]): Piece[] | null {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < before.length - start && end < after.length - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1;
  const middle = shortest(before.slice(start, before.length - end), after.slice(start, after.length - end));
  if (!middle) return null;
  return joined([
    { kind: "same", text: before.slice(0, start).join("") },
    ...middle,
    { kind: "same", text: end === 0 ? "" : before.slice(-end).join("") },
  ]);
}

/** The shortest list of edits (E. Myers, "An O(ND) difference algorithm and its variations", 1986). */
function shortest(a: string[], b: string[]): Piece[] | null {
  const most = Math.min(a.length + b.length, MOST_EDITS);
  const reach = new Map<number, number>([[1, 0]]);
  const trail: Map<number, number>[] = [];
  const far = (of: Map<number, number>, diagonal: number) => of.get(diagonal) ?? -1;
  const isDown = (of: Map<number, number>, diagonal: number, edits: number) =>
    diagonal === -edits || (diagonal !== edits && far(of, diagonal - 1) < far(of, diagonal + 1));

  for (let edits = 0; edits <= most; edits++) {
    trail.push(new Map(reach));
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      let x = isDown(reach, diagonal, edits) ? far(reach, diagonal + 1) : far(reach, diagonal - 1) + 1;
      while (x < a.length && x - diagonal < b.length && a[x] === b[x - diagonal]) x += 1;
      reach.set(diagonal, x);
      if (x >= a.length && x - diagonal >= b.length) return walkedBack(a, b, trail, isDown, far);
    }
    // A path outside of both texts leads nowhere, and keeping all of them costs the square of the edits.
    if (edits % 64 === 0) for (const key of reach.keys()) if (key > a.length + 1 || -key > b.length + 1) reach.delete(key);
  }
  return null;
}

function walkedBack(
  a: string[],
  b: string[],
  trail: Map<number, number>[],
  isDown: (of: Map<number, number>, diagonal: number, edits: number) => boolean,
  far: (of: Map<number, number>, diagonal: number) => number,
): Piece[] {
  const pieces: Piece[] = [];
  let x = a.length;
  let y = b.length;
  for (let edits = trail.length - 1; edits >= 0; edits--) {
    const reach = trail[edits] ?? new Map<number, number>();
    const diagonal = x - y;
    const from = isDown(reach, diagonal, edits) ? diagonal + 1 : diagonal - 1;
    const fromX = Math.max(0, far(reach, from));
    const fromY = Math.max(0, fromX - from);
    while (x > fromX && y > fromY) {
      pieces.push({ kind: "same", text: a[x - 1] ?? "" });
      x -= 1;
      y -= 1;
    }
    if (edits > 0) pieces.push(x === fromX ? { kind: "added", text: b[y - 1] ?? "" } : { kind: "removed", text: a[x - 1] ?? "" });
    x = fromX;
    y = fromY;
  }
  return pieces.reverse();
}

/** Between two texts that agree, first all that went and then all that came; a blank alone is no agreement. */
function joined(pieces: Piece[]): Piece[] {
  const all: Piece[] = [];
  let removed = "";
  let added = "";
  const flush = () => {
    if (removed) all.push({ kind: "removed", text: removed });
    if (added) all.push({ kind: "added", text: added });
    removed = added = "";
  };
  pieces.forEach(({ kind, text }, index) => {
    if (text === "") return;
    if (kind === "removed") removed += text;
    else if (kind === "added") added += text;
    else {
      const next = pieces[index + 1];
      if (removed && added && /^[^\S\n]+$/.test(text) && next && next.kind !== "same") {
        removed += text;
        added += text;
        return;
      }
      flush();
      const last = all.at(-1);
      if (last?.kind === "same") last.text += text;
      else all.push({ kind, text });
    }
  });
  flush();
  return all;
}
