import type { Page } from "@playwright/test";
import { expect, test, type Server } from "./server";
import { failing } from "./workflows";

const ITEMS = 3_333;
const BROKEN = [17, 1_500, 3_300];
const PAGE = 1_000;

type Step = Record<string, unknown> & { step_id: string };

/** A map of thousands of items as the API would show it, put in the place of the steps of a real run. */
function mapped(template: Step): Step[] {
  const start = Date.parse("2026-01-01T00:00:00Z");
  const at = (ms: number) => new Date(start + ms).toISOString().replace("Z", "000Z");
  const step = (step_id: string, name: string, node_type: string, from: number, more: object = {}): Step => ({
    ...template,
    step_id,
    node_id: step_id.split("/").at(-1) ?? step_id,
    name,
    node_type,
    status: "succeeded",
    started_at: at(from),
    finished_at: at(from + 9),
    latency_ms: 9,
    attempts: 1,
    requests: 1,
    error: null,
    tokens_input: node_type === "llm" ? 10 : null,
    tokens_output: node_type === "llm" ? 5 : null,
    cost_nanousd: node_type === "llm" ? 1_000 : null,
    ...more,
  });
  const error = { code: "server_error", message: "openai answered HTTP 500.", status: 500, retry_after_ms: null, upstream_request_id: null };
  const item = (index: number) => [
    step(`each[${index}]/read`, "Read", "tool", index * 10),
    step(`each[${index}]/summarize`, "Summarize", "llm", index * 10 + 3, BROKEN.includes(index) ? { status: "failed", error } : {}),
    step(`each[${index}]/store`, "Store", "tool", index * 10 + 6),
  ];
  return [step("each", "Each message", "map", 0, { latency_ms: 33_339, finished_at: at(33_339) }), ...Array.from({ length: ITEMS }, (_, index) => item(index)).flat()];
}

async function serveMap(page: Page, server: Server): Promise<string> {
  const run = await server.run(await server.workflow("Ten thousand", failing), {}, 20);
  const real = await server.get<Record<string, unknown> & { steps: Step[] }>(`/api/runs/${run}`);
  const template = real.steps[0];
  if (!template) throw new Error("the run has no step");
  const steps = mapped(template);
  const view = { ...real, steps: steps.slice(0, PAGE), next_steps_cursor: String(PAGE), step_count: steps.length, failed_step: `each[${BROKEN[0]}]/summarize` };
  await page.route(`**/api/runs/${run}`, (route) => route.fulfill({ json: view }));
  await page.route(`**/api/runs/${run}/trace*`, (route) => route.fulfill({ json: { events: [], next_after_seq: null } }));
  await page.route(`**/api/runs/${run}/steps?*`, (route) => {
    const from = Number(new URL(route.request().url()).searchParams.get("cursor"));
    const next = from + PAGE < steps.length ? String(from + PAGE) : null;
    return route.fulfill({ json: { steps: steps.slice(from, from + PAGE), next_cursor: next } });
  });
  return run;
}

test("a map of 10,000 steps opens on the item that failed; the next-error key reaches every error; a copied link opens the same step", async ({ page, server }) => {
  const run = await serveMap(page, server);
  await page.goto(`${server.url}/runs/${run}`);
  await expect(page.getByRole("complementary", { name: "Step each[17]/summarize" })).toBeVisible();
  // Nothing behind it says that only some are read: the next error may be on any page of them.
  await expect(page.getByText("10,000", { exact: true }).first()).toBeVisible();
  await expect(page.locator('[data-row][aria-current="true"]')).toHaveAttribute("aria-label", /^Summarize, LLM, Failed/);
  for (const index of [1_500, 3_300, 17]) {
    await page.keyboard.press("e");
    await expect(page).toHaveURL(new RegExp(`step=${encodeURIComponent(`each[${index}]/summarize`)}`));
    await expect(page.locator('[data-row][aria-current="true"]')).toBeInViewport();
  }
  await expect.poll(() => page.locator("[data-row]").count()).toBeLessThan(100);
  await page.keyboard.press("e");
  const link = page.url();
  await page.goto("about:blank");
  await page.goto(link);
  await expect(page.getByRole("complementary", { name: "Step each[1500]/summarize" })).toBeVisible();
});

test("a group opens and closes by key and by click, in the waterfall and in the tree", async ({ page, server }) => {
  const run = await serveMap(page, server);
  await page.goto(`${server.url}/runs/${run}?step=`);
  const group = page.getByRole("button", { name: /^Each message, Map, Succeeded.*9,999 steps, 3 failed/ });
  await expect(group).toHaveAttribute("aria-expanded", "true");
  await group.focus();
  await page.keyboard.press("ArrowLeft");
  await expect(group).toHaveAttribute("aria-expanded", "false");
  await expect(group).toBeFocused();
  await expect(page.locator("[data-row]")).toHaveCount(1);
  await expect(group.getByText("3 failed")).toBeVisible();
  await page.keyboard.press("ArrowRight");
  await expect(page.getByRole("button", { name: /^each\[0\], 3 steps/ })).toBeVisible();
  await page.getByRole("button", { name: /^each\[0\], 3 steps/ }).click();
  await expect(page.getByRole("button", { name: /^each\[0\], 3 steps/ })).toHaveAttribute("aria-expanded", "false");

  await page.goto(`${server.url}/runs/${run}?step=&view=tree`);
  const item = page.getByRole("treeitem").first();
  await expect(item).toHaveAttribute("aria-expanded", "true");
  await item.focus();
  await page.keyboard.press("ArrowLeft");
  await expect(page.getByRole("treeitem")).toHaveCount(1);
  await expect(item).toContainText("$0.003333");
});
