import type { Graph } from "@/api/types";
import { layoutGraph } from "./layoutGraph";

// Beside the page, so that a large graph does not stop it.
self.onmessage = ({ data }: MessageEvent<Graph>) => self.postMessage(layoutGraph(data));
