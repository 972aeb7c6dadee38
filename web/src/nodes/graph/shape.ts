/** What the drawing of a graph and its layout agree on. Kept apart from the layout, which brings dagre along. */
export const NODE_WIDTH = 208;
export const NODE_HEIGHT = 48;

/** More than this is not drawn at once: a browser takes too long for it, and nobody can read it. */
export const MOST_NODES = 2_000;
export const MOST_EDGES = 6_000;

/** Above this many nodes a drawing opens on one of them: the whole at once is dust. */
export const LARGE = 40;

/** Below this zoom text cannot be read, so that nodes are just marks. */
export const READABLE = 0.4;

export interface Place {
  x: number;
  y: number;
}

export interface Structure {
  nodes: string[];
  /** From, to, and whether a rule is written on it. */
  edges: [from: string, to: string, ruled: boolean][];
}

export type Direction = "down" | "right";

export interface Arranged {
  direction: Direction;
  places: [string, Place][];
}
