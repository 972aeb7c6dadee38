// The speed budgets of a run of 10,000 steps, measured in Chromium against a running server of simulated models:
//
//   target/release/flowtrace serve --simulate --listen 127.0.0.1:0 --data <empty directory>
//   node scripts/speed.mjs http://127.0.0.1:<port>
//
// CPU is the main thread's task time as the browser counts it (CDP `Performance.getMetrics`, TaskDuration).
import { chromium } from "@playwright/test";

const [base = "http://127.0.0.1:7878", steps = "9999"] = process.argv.slice(2);

async function post(path, body) {
  const response = await fetch(new URL(path, base), { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const answer = await response.json();
  if (!response.ok) throw new Error(`POST ${path}: ${JSON.stringify(answer)}`);
  return answer;
}

const nodes = Array.from({ length: Number(steps) }, (_, index) => ({ id: `s${index}`, type: "tool", name: `Step ${index}`, config: { tool: "echo" }, inputs: { index } }));
const { id } = await post("/api/workflows", {
  name: `Wide ${steps}`,
  graph_json: {
    version: "1",
    entry: "start",
    execution: { mode: "parallel", maxConcurrency: 64 },
    limits: { maxNodes: nodes.length + 1 },
    nodes: [{ id: "start", type: "tool", name: "Start", config: { tool: "echo" } }, ...nodes],
    edges: nodes.map((node) => ({ from: "start", to: node.id })),
  },
});
const { runId, run } = await post(`/api/workflows/${id}/runs?wait=60`, {});
console.log(`run of ${run.step_count} steps: ${run.status} in ${Math.round(run.total_latency_ms)} ms`);

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage"] });
const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
const cdp = await page.context().newCDPSession(page);
await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
const cpu = async () => {
  const { metrics } = await cdp.send("Performance.getMetrics");
  return metrics.find(({ name }) => name === "TaskDuration").value * 1000;
};
const settled = async () => {
  for (let before = -1, now = await cpu(); now - before > 1; before = now, now = await cpu()) await page.waitForTimeout(400);
  return cpu();
};

let over = false;
const report = (what, value, budget, unit = "ms") => {
  const ok = value <= budget;
  over ||= !ok;
  console.log(`${ok ? "ok  " : "OVER"} ${what.padEnd(52)} ${value.toFixed(1).padStart(7)} ${unit} of ${budget}`);
};

// Everything is loaded once, so that the second time only the data is new.
await page.goto(new URL("/runs", base).href);
await page.getByRole("row").nth(1).waitFor();
let last = 0;
page.on("requestfinished", async (request) => {
  if (new URL(request.url()).pathname.startsWith(`/api/runs/${runId}`)) last = await cpu();
});
const before = await settled();
await page.evaluate((to) => window.history.pushState(null, "", to), `/runs/${runId}`);
await page.evaluate(() => window.dispatchEvent(new PopStateEvent("popstate")));
await page.getByRole("button", { name: /^Start, Tool/ }).waitFor();
const first = await cpu();
await page.waitForFunction((height) => document.querySelector('ol[aria-label="Steps"]').clientHeight >= height, run.step_count * 28, { timeout: 120_000 });
const end = await settled();
report("first rows shown, CPU in all", first - before, 400);
report("CPU after the last of the data", end - last, 100);
console.log(`     CPU of loading and reading it all: ${(end - before).toFixed(0)} ms`);

const clicks = [];
for (let index = 2; index < 12; index++) {
  const from = await cpu();
  const time = await page.evaluate(async (row) => {
    const button = document.querySelector(`[data-row="${row}"]`);
    const start = performance.now();
    button.click();
    while (!document.querySelector(`aside[aria-label="Step s${row - 1}"]`)) await new Promise((resolve) => requestAnimationFrame(resolve));
    return performance.now() - start;
  }, index);
  await page.waitForTimeout(150);
  clicks.push({ time, cpu: (await cpu()) - from });
}
clicks.sort((a, b) => a.time - b.time);
report("click to detail, median", clicks[5].time, 50);
await page.keyboard.press("Escape");
await settled();

const FRAMES = 120;
const start = await cpu();
await page.evaluate(async (frames) => {
  const box = document.querySelector('ol[aria-label="Steps"]').parentElement;
  for (let frame = 0; frame < frames; frame++) {
    box.scrollTop += 100;
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
}, FRAMES);
report("CPU of a frame of scrolling by 100 px, mean", ((await cpu()) - start) / FRAMES, 6);

// Ten calls at a time of 200 ms each, four events a call: about 200 events a second.
const calls = Array.from({ length: 2000 }, (_, index) => ({ id: `c${index}`, type: "llm", config: { provider: "openai", model: "gpt-4o-mini", prompt: `Go ${index}.`, cache: { enabled: false }, simulate: { answer: "Done.", latencyMs: 200 } } }));
const live = await post("/api/workflows", {
  name: "Live",
  graph_json: {
    version: "1",
    entry: "start",
    execution: { mode: "parallel", maxConcurrency: 10 },
    limits: { maxNodes: calls.length + 1 },
    nodes: [{ id: "start", type: "tool", name: "Start", config: { tool: "echo" } }, ...calls],
    edges: calls.map((node) => ({ from: "start", to: node.id })),
  },
});
const started = await post(`/api/workflows/${live.id}/runs`, {});
await page.goto(new URL(`/runs/${started.runId}`, base).href);
await page.waitForTimeout(4000);
const seq = async () => (await (await fetch(new URL(`/api/runs/${started.runId}`, base))).json()).last_seq;
const [cpuBefore, seqBefore, timeBefore] = [await cpu(), await seq(), performance.now()];
await page.waitForTimeout(10_000);
const [cpuAfter, seqAfter, timeAfter] = [await cpu(), await seq(), performance.now()];
const seconds = (timeAfter - timeBefore) / 1000;
report(`live at ${((seqAfter - seqBefore) / seconds).toFixed(0)} events/s, share of a core`, ((cpuAfter - cpuBefore) / 10 / seconds), 20, "% ");
await post(`/api/runs/${started.runId}/cancel`, {}).catch(() => undefined);

// A graph of 200 nodes in ten rows, and a first visit with nothing cached.
const drawn = Array.from({ length: 200 }, (_, index) => ({ id: `g${index}`, type: "tool", name: `Node ${index}`, config: { tool: "echo" } }));
const graph = await post("/api/runs?wait=60", {
  graph_json: {
    version: "1",
    entry: "g0",
    limits: { maxNodes: 200 },
    nodes: drawn,
    edges: drawn.slice(1).map((node, index) => ({ from: `g${Math.floor(index / 3)}`, to: node.id })),
  },
});
await page.goto(new URL(`/runs/${graph.runId}?view=graph`, base).href);
await page.locator(".react-flow__node").first().waitFor();
await page.goto(new URL(`/runs/${graph.runId}`, base).href);
await page.getByRole("button", { name: /^Node 0, Tool/ }).waitFor();
const beforeGraph = await settled();
await page.getByRole("tab", { name: "Graph" }).click();
await page.waitForFunction(() => document.querySelectorAll(".react-flow__minimap-node").length === 200);
report("CPU of a graph of 200 nodes, until it rests", (await settled()) - beforeGraph, 300);

const fresh = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
const visit = performance.now();
await fresh.goto(base);
await fresh.getByRole("row").nth(1).waitFor();
report("first page of a first visit, until its rows are there", performance.now() - visit, 1000);

await browser.close();
process.exit(over ? 1 : 0);
