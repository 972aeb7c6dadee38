import { expect, test } from "./server";
import { answering, hostile, large, wide } from "./workflows";

test("text of people and models stays text, whatever is in it", async ({ page, server }) => {
  const run = await server.run(await server.workflow("<i>Hostile</i>", hostile), { text: "<svg onload=window.hacked=5>" }, 20);
  for (const path of [`/runs/${run}?step=say`, `/runs/${run}?step=say&tab=output`, `/runs/${run}?step=say&tab=raw`, `/runs/${run}?view=graph`, `/runs/${run}?view=log`, "/runs", "/workflows"]) {
    await page.goto(`${server.url}${path}`);
    await expect(page.getByRole("main")).toContainText(/Hostile/);
  }
  await page.goto(`${server.url}/runs/${run}?step=say`);
  await expect(page.getByText("<svg onload=window.hacked=5>")).toBeVisible();
  await expect(page.getByText("مرحبا بالعالم 🙂 日本語")).toBeVisible();
  expect(await page.evaluate(() => (window as unknown as { hacked?: number }).hacked)).toBeUndefined();
  expect(await page.locator("main script, main img[src=x], main a[href^=javascript]").count()).toBe(0);
});

test("a large answer shows its beginning and can be downloaded", async ({ page, server }) => {
  const run = await server.run(await server.workflow("Large", large(2_000_000)), {}, 20);
  await page.goto(`${server.url}/runs/${run}?step=big&tab=output`);
  await expect(page.getByText(/The first 64 kB of 2\.0 MB/)).toBeVisible();
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download" }).click();
  expect((await download).suggestedFilename()).toBe("big-output.txt");
});

test("an answer of 2 MB of Markdown is shown from its beginning, and leaves the page quick", async ({ page, server }) => {
  const answer = "# Part\n\n- **one** of `many`\n- two\n\n".repeat(57_000);
  expect(answer.length).toBeGreaterThan(1_900_000);
  const run = await server.run(await server.workflow("Long answer", answering(answer)), {}, 30);
  await page.goto(`${server.url}/runs/${run}?step=say&tab=output`);
  const output = page.getByRole("region", { name: "Output" });
  await expect(output.getByText(/The first 64 kB of \d\.\d MB/)).toBeVisible();
  await expect(output.getByRole("heading", { name: "Part" }).first()).toBeVisible();
  // Still answers to keys.
  await page.getByRole("tab", { name: "Timing" }).click();
  await expect(page.getByRole("region", { name: "Timing" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("complementary")).toBeHidden();
});

test("a link to a step far down a large run opens that step", async ({ page, server }) => {
  const run = await server.run(await server.workflow("Wide", wide(2500)), {}, 30);
  await page.goto(`${server.url}/runs/${run}?step=s2400`);
  await expect(page.getByRole("complementary", { name: "Step s2400" })).toBeVisible();
  await expect(page.getByRole("button", { name: /^Step 2400, Tool/ })).toBeVisible();
  await page.keyboard.press("j");
  await expect(page).toHaveURL(/step=s24(?!00)/);
  await expect.poll(() => page.locator("[data-row]").count()).toBeLessThan(100);

  await page.goto(`${server.url}/runs/${run}?view=graph`);
  await page.getByRole("link", { name: "Open the tree" }).click();
  await expect(page.getByRole("treeitem").first()).toBeVisible();
});

test("a workflow of 300 nodes is drawn", async ({ page, server }) => {
  const run = await server.run(await server.workflow("Three hundred", wide(299)), {}, 30);
  await page.goto(`${server.url}/runs/${run}?view=graph`);
  await expect(page.locator(".react-flow__node").first()).toBeVisible();
  await expect(page.locator(".react-flow__minimap-node")).toHaveCount(300);
});

test("an address that names nothing says so", async ({ page, server }) => {
  await page.goto(`${server.url}/nowhere`);
  await expect(page.getByText("There is no such page")).toBeVisible();
  await page.goto(`${server.url}/runs/01900000-0000-7000-8000-000000000000`);
  await expect(page.getByText("There is no such run")).toBeVisible();
});
