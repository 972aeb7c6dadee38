import type { Page } from "@playwright/test";
import { expect, Server, test } from "./server";
import { failing, heldStreaming, streaming } from "./workflows";

const WORDS = Array.from({ length: 200 }, (_, index) => `word${index}`).join(" ");

/** Opens a run that waits, and lets it go on once the page shows that. */
async function openHeld(page: Page, server: Server, seconds: number, search: string): Promise<string> {
  const run = await server.run(await server.workflow("Held", heldStreaming(seconds)));
  await page.goto(`${server.url}/runs/${run}${search}`);
  await expect(page.getByRole("main").locator("header").first()).toContainText("Waiting");
  await server.post(`/api/runs/${run}/signals/go`);
  return run;
}

test("an answer appears as it comes, and is whole at the end", async ({ page, server }) => {
  await openHeld(page, server, 8, "?step=talk");
  const answer = page.getByRole("article", { name: "Assistant" });
  await expect(answer).toContainText("word3 ");
  const early = (await answer.innerText()).length;
  expect(early).toBeLessThan(WORDS.length);
  await expect(page.getByRole("main").locator("header").first()).toContainText("Succeeded");
  await expect(answer).toContainText(WORDS);
});

test("a tab that comes late gets the text so far, through the tab that has the stream", async ({ context, server }) => {
  const first = await context.newPage();
  let streams = 0;
  context.on("request", (request) => {
    if (request.url().endsWith("/stream")) streams += 1;
  });
  const run = await openHeld(first, server, 12, "?step=talk");
  await expect(first.getByRole("article", { name: "Assistant" })).toContainText("word10 ");
  const second = await context.newPage();
  await second.goto(`${server.url}/runs/${run}?step=talk`);
  await expect(second.getByRole("article", { name: "Assistant" })).toContainText("word0 word1 word2 ");
  expect(streams).toBe(1);
  for (const page of [first, second]) {
    await expect(page.getByRole("main").locator("header").first()).toContainText("Succeeded");
    await expect(page.getByRole("article", { name: "Assistant" })).toContainText(WORDS);
  }
});

test("a crash of the server in the middle of a run: reconnecting, then all of it, each event once", async ({ page }) => {
  const server = await Server.start();
  try {
    const run = await openHeld(page, server, 6, "?view=log");
    await expect(page.getByText("llm.request").first()).toBeVisible();
    await server.kill();
    await expect(page.getByText(/^(reconnecting|offline)$/)).toBeVisible();
    await server.restart();
    await expect(page.getByText("live", { exact: true })).toBeVisible();
    await expect(page.getByText("run.succeeded")).toBeVisible();
    await expect(page.getByText("step.lost")).toHaveCount(1);
    const { events } = await server.get<{ events: unknown[] }>(`/api/runs/${run}/trace?limit=5000`);
    await expect(page.getByText(`${events.length} events`)).toBeVisible();
    await expect(page.locator("ol[aria-label=Events] button > span:first-child")).toHaveText(events.map((_, index) => String(index + 1)));
  } finally {
    await server.stop();
  }
});

test("without the server the list keeps its rows and says so; with it again all is well", async ({ page }) => {
  const server = await Server.start();
  try {
    await server.run(await server.workflow("Kept", failing), {}, 20);
    await page.goto(`${server.url}/runs`);
    const row = page.getByRole("link", { name: /^Kept v1/ });
    await expect(row).toBeVisible();
    await server.kill();
    await expect(page.getByRole("alert")).toContainText("The server does not answer");
    await expect(row).toBeVisible();
    await expect(page.getByText("offline", { exact: true })).toBeVisible();
    await server.restart();
    await expect(page.getByRole("alert")).toBeHidden();
    await expect(page.getByText("live", { exact: true })).toBeVisible();
  } finally {
    await server.stop();
  }
});

test("a list that never came says why, and does not flicker while it is asked for again", async ({ page, server }) => {
  await page.route(/\/(api|health|version)(\/|\?|$)/, (route) => route.abort());
  await page.goto(`${server.url}/runs`);
  const alert = page.getByRole("alert").filter({ hasText: "The server does not answer" });
  await expect(alert).toBeVisible();
  // The list is asked for every four seconds.
  const gone = await page.evaluate(async () => {
    let gone = 0;
    for (const end = performance.now() + 5_000; performance.now() < end; await new Promise(requestAnimationFrame)) if (!document.querySelector("[role=alert]")) gone += 1;
    return gone;
  });
  expect(gone).toBe(0);
  await page.unroute(/\/(api|health|version)(\/|\?|$)/);
  await expect(alert).toBeHidden();
});

test("a tab for which there is no stream left learns of an end that its journal holds already", async ({ context, page, server }) => {
  const run = await server.run(await server.workflow("Ended meanwhile", streaming(300)));
  const running = await server.get<{ status: string }>(`/api/runs/${run}`);
  expect(running.status).toBe("running");
  await server.post(`/api/runs/${run}/cancel`);
  await expect.poll(async () => (await server.get<{ status: string }>(`/api/runs/${run}`)).status).toBe("canceled");
  // Other tabs hold all streams.
  const other = await context.newPage();
  await other.goto(`${server.url}/runs`);
  await other.evaluate(() => {
    for (let slot = 0; slot < 3; slot++) void navigator.locks.request(`flowtrace:stream-slot:${slot}`, () => new Promise(() => undefined));
  });
  // The run was read just before its end, its journal just after.
  let reads = 0;
  await page.route(`**/api/runs/${run}`, (route) => (reads++ === 0 ? route.fulfill({ json: running }) : route.continue()));
  await page.goto(`${server.url}/runs/${run}`);
  await expect(page.getByRole("main").locator("header").first()).toContainText("Canceled");
});

test("eight tabs on eight runs do not block one another", async ({ context, server }) => {
  const id = await server.workflow("Eight", streaming(300));
  const pages = [];
  for (let tab = 0; tab < 8; tab++) {
    const page = await context.newPage();
    await page.goto(`${server.url}/runs/${await server.run(id)}`);
    pages.push(page);
  }
  for (const page of pages) await expect(page.getByRole("button", { name: /^Talk, LLM, Running/ })).toBeVisible();
  // Every tab can still ask, and act.
  for (const page of pages) {
    await page.getByRole("button", { name: "Cancel", exact: true }).click();
    await expect(page.getByRole("main").locator("header").first()).toContainText("Canceled");
  }
});
