import type { Place } from "@/nodes/graph/shape";

/** The step that an arrow key leads to: the nearest one on that side, those straight ahead first. */
export function nearestStep(places: ReadonlyMap<string, Place>, from: string, [x, y]: readonly [number, number]): string | undefined {
  const here = places.get(from);
  if (!here) return undefined;
  let best: { key: string; far: number } | undefined;
  for (const [key, place] of places) {
    if (key === from) continue;
    const ahead = (place.x - here.x) * x + (place.y - here.y) * y;
    if (ahead <= 0) continue;
    const aside = Math.abs((place.x - here.x) * y + (place.y - here.y) * x);
    const far = ahead + 2 * aside;
    if (!best || far < best.far) best = { key, far };
  }
  return best?.key;
}
