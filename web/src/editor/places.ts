import { placeOf } from "./edits";
import { incoming, type GraphLevel } from "./graph";
import { NODE_HEIGHT, NODE_WIDTH, type Arranged, type Direction, type Place } from "@/nodes/graph/shape";

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
  const left = level.nodes.filter((node) => !places.has(node.key));
  const taken = left.length > 0 ? new Taken(places.values()) : undefined;
  for (const node of left) {
    const place = freePlace(level, places, node.id, direction, taken);
    places.set(node.key, place);
    taken?.add(place);
  }
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

/** Which places are taken, by cells of the size of a step, so that only what is near is compared. */
class Taken {
  private readonly cells = new Map<string, Place[]>();
  /** How far the steps reach. */
  left = Infinity;
  right = -Infinity;
  bottom = -Infinity;

  constructor(places: Iterable<Place>) {
    for (const place of places) this.add(place);
  }

  add(place: Place) {
    const cell = cellOf(place.x, place.y);
    const there = this.cells.get(cell);
    if (there) there.push(place);
    else this.cells.set(cell, [place]);
    this.left = Math.min(this.left, place.x);
    this.right = Math.max(this.right, place.x);
    this.bottom = Math.max(this.bottom, place.y);
  }

  has(x: number, y: number): boolean {
    for (const dx of [-NODE_WIDTH, 0, NODE_WIDTH]) {
      for (const dy of [-NODE_HEIGHT, 0, NODE_HEIGHT]) {
        if (this.cells.get(cellOf(x + dx, y + dy))?.some((place) => Math.abs(place.x - x) < NODE_WIDTH && Math.abs(place.y - y) < NODE_HEIGHT)) return true;
      }
    }
    return false;
  }
}

const cellOf = (x: number, y: number) => `${Math.floor(x / NODE_WIDTH)} ${Math.floor(y / NODE_HEIGHT)}`;

/** After what leads there, or below everything, where nothing stands yet. */
export function freePlace(level: GraphLevel, places: ReadonlyMap<string, Place>, id: string, direction: Direction, taken = new Taken(places.values())): Place {
  if (places.size === 0) return { x: 0, y: 0 };
  const before = incoming(level, id).flatMap((edge) => places.get(edge.from) ?? []);
  let x = before.length > 0 ? Math.min(...before.map((place) => place.x)) : taken.left;
  let y = before.length > 0 ? Math.max(...before.map((place) => place.y)) : taken.bottom;
  if (direction === "down") y += NODE_HEIGHT + GAP.y;
  else x = (before.length > 0 ? Math.max(...before.map((place) => place.x)) : taken.right) + NODE_WIDTH + GAP.x;
  for (let tries = 0; taken.has(x, y) && tries < 10_000; tries++) {
    if (direction === "down") x += NODE_WIDTH + GAP.x;
    else y += NODE_HEIGHT + 16;
  }
  return { x, y };
}
