import { arrange } from "./arrange";
import type { Structure } from "./shape";

// Laying out a few hundred nodes takes longer than a frame: not on the page's thread.
addEventListener("message", ({ data }: MessageEvent<{ turn: number; structure: Structure }>) => {
  postMessage({ turn: data.turn, arranged: arrange(data.structure) });
});
