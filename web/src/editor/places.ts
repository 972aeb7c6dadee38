import { placeOf, type Place } from "./edits";
import type { GraphLevel } from "./graph";
import type { Arranged, Direction } from "./layout";

// The same as in layout.ts, which is not imported here because it brings dagre along.
export const NODE_WIDTH = 200;
export const NODE_HEIGHT = 48;
const GAP = { x: 40, y: 48 };

/** Whether somebody has placed steps of this level; otherwise it is laid out by itself. */
export const isPlaced = (level: GraphLevel): boolean => level.nodes.some((node) => placeOf(node.node) !== undefined);

/**
 * Where each step stands: where it was put, else where the layout has it, else below what leads to it. `null` as long as a
 * layout is needed and none is there.
 */
export function placesOf(level: GraphLevel, arranged: Arranged | null): { places: Map<string, Place>; direction: Direction } | null {
  const placed = isPlaced(level);
  if (!placed && !arranged && level.nodes.length > 0) return null;
  const places = new Map<string, Place>();
  const laidOut = new Map(placed ? [] : arranged?.places);
  for (const node of level.nodes) {
    const place = placeOf(node.node) ?? laidOut.get(node.key);
    if (place) places.set(node.key, place);
  }
  const direction = placed ? directionOf(level, places) : (arranged?.direction ?? "down");
  for (const node of level.nodes) if (!places.has(node.key)) places.set(node.key, freePlace(level, places, node.id, direction));
  return { places, direction };
}

function directionOf(level: GraphLevel, places: ReadonlyMap<string, Place>): Direction {
  let [across, down] = [0, 0];
  for (const { from, to } of level.edges) {
    const [a, b] = [places.get(from), places.get(to)];
    if (!a || !b) continue;
    across += Math.abs(a.x - b.x);
    down += Math.abs(a.y - b.y);
  }
  return across > 1.5 * down ? "right" : "down";
}

/** After what leads there, or below everything, where nothing stands yet. */
export function freePlace(level: GraphLevel, places: ReadonlyMap<string, Place>, id: string, direction: Direction): Place {
  const before = level.edges.filter((edge) => edge.to === id).flatMap((edge) => places.get(edge.from) ?? []);
  const all = [...places.values()];
  let x = Math.min(...(before.length > 0 ? before : all).map((place) => place.x));
  let y = Math.max(...(before.length > 0 ? before : all).map((place) => place.y));
  if (all.length === 0) [x, y] = [0, 0];
  else if (direction === "down") y += NODE_HEIGHT + GAP.y;
  else x = Math.max(...(before.length > 0 ? before : all).map((place) => place.x)) + NODE_WIDTH + GAP.x;
  const taken = () => all.some((place) => Math.abs(place.x - x) < NODE_WIDTH && Math.abs(place.y - y) < NODE_HEIGHT);
  for (let tries = 0; taken() && tries < 1000; tries++) {
    if (direction === "down") x += NODE_WIDTH + GAP.x;
    else y += NODE_HEIGHT + 16;
  }
  return { x, y };
}
