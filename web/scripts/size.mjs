// How much JavaScript each page makes the browser load: the entry, the page's chunk and everything they import at once, gzipped;
// and what a part of a page that is loaded when it is opened adds to that. Fails over the budget. Run after `npm run build`.
import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

const dist = new URL("../dist/", import.meta.url);
const manifest = JSON.parse(await readFile(new URL(".vite/manifest.json", dist), "utf8"));

/** kB of 1,000 bytes. */
const budgets = {
  "src/runs/RunPage.tsx": 200,
  "src/runs/RunsPage.tsx": 200,
  "src/traces/TracesPage.tsx": 200,
  "src/traces/TracePage.tsx": 200,
  "src/traces/SessionPage.tsx": 200,
  "src/approvals/ApprovalsPage.tsx": 200,
  "src/compare/ComparePage.tsx": 200,
  "src/workflows/WorkflowsPage.tsx": 200,
  "src/settings/SettingsPage.tsx": 200,
  "src/editor/EditorPage.tsx": 300,
};

/** The part, the page that it is opened on, and kB. */
const parts = [["src/editor/json/JsonPane.tsx", "src/editor/EditorPage.tsx", 150]];

const sizes = new Map();
async function size(file) {
  if (!sizes.has(file)) sizes.set(file, gzipSync(await readFile(new URL(file, dist)), { level: 9 }).length);
  return sizes.get(file);
}

function files(key, seen = new Set()) {
  const chunk = manifest[key];
  if (!chunk) throw new Error(`${key} is not in the build: has the page moved?`);
  if (seen.has(chunk.file)) return seen;
  seen.add(chunk.file);
  for (const imported of chunk.imports ?? []) files(imported, seen);
  return seen;
}

let over = false;
async function report(name, loaded, budget) {
  const all = loaded.filter((file) => file.endsWith(".js"));
  const total = (await Promise.all(all.map(size))).reduce((sum, each) => sum + each, 0) / 1000;
  const ok = total <= budget;
  over ||= !ok;
  console.log(`${ok ? "ok  " : "OVER"} ${name.padEnd(34)} ${total.toFixed(1).padStart(6)} kB of ${budget} kB`);
}
for (const [page, budget] of Object.entries(budgets)) await report(page, [...files(page, files("index.html"))], budget);
for (const [part, page, budget] of parts) {
  const there = files(page, files("index.html"));
  await report(part, [...files(part)].filter((file) => !there.has(file)), budget);
}
process.exit(over ? 1 : 0);
