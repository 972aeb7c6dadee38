/** What the drawing of a graph and its layout agree on. */
export const NODE_WIDTH = 210;
export const NODE_HEIGHT = 46;

/** More than this cannot be read as a drawing, and laying it out takes many seconds. */
export const MOST_NODES = 500;
export const MOST_EDGES = 1_500;

export interface Layout {
  direction: "down" | "right";
  places: Map<string, { x: number; y: number }>;
}
