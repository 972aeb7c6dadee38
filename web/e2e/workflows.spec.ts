import { readFile } from "node:fs/promises";
import { expect, Server, test, unique } from "./server";
import { failing, greeting } from "./workflows";

test("run a workflow with the inputs that it reads", async ({ page, server }) => {
  const name = unique("Greeting");
  await server.workflow(name, greeting);
  await page.goto(`${server.url}/workflows`);
  await page.getByRole("button", { name: `Run ${name}` }).click();
  const dialog = page.getByRole("dialog", { name: `Run ${name}` });
  await dialog.getByLabel("name").fill("Ada");
  await dialog.getByLabel("age").fill("36");
  await dialog.getByRole("button", { name: "Run", exact: true }).click();
  await expect(page).toHaveURL(/\/runs\/[0-9a-f-]{36}/);
  await page.getByRole("button", { name: /^Greet, LLM/ }).click();
  await expect(page.getByText("Greet Ada, who is 36.")).toBeVisible();
  await expect(page.getByText("Hello there, nice to meet you.")).toBeVisible();
});

test("create, delete and undo", async ({ page, server }) => {
  const name = unique("Ephemeral");
  await page.goto(`${server.url}/workflows`);
  await page.getByRole("button", { name: "New workflow" }).click();
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByRole("button", { name: "Create" }).click();
  await expect(page).toHaveURL(/\/workflows\/[^/]+\/edit/);
  await page.getByRole("link", { name: "Workflows" }).first().click();
  await page.getByRole("button", { name: `Delete ${name}` }).click();
  await expect(page.getByRole("link", { name: new RegExp(`^${name}`) })).toBeHidden();
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByRole("link", { name: new RegExp(`^${name}`) })).toBeVisible();
});

test("import a file, and say what is wrong with a bad one", async ({ page, server }) => {
  await page.goto(`${server.url}/workflows`);
  const choose = (name: string, text: string) =>
    page.getByTestId("import-file").setInputFiles({ name, mimeType: "application/json", buffer: Buffer.from(text) });
  const name = unique("imported");
  await choose(`${name}.json`, JSON.stringify(failing));
  await expect(page.getByRole("link", { name: new RegExp(`^${name} v1`) })).toBeVisible();
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: `Export ${name}` }).click();
  const path = await (await download).path();
  expect(JSON.parse(await readFile(path, "utf8"))).toEqual(failing);
  await choose("broken.json", "{");
  await expect(page.getByText(/“broken.json” was not imported. It is not JSON/)).toBeVisible();
  await choose("invalid.json", JSON.stringify({ version: "1", entry: "nowhere", nodes: [], edges: [] }));
  await expect(page.getByText(/“invalid.json” was not imported/)).toBeVisible();
});

test("the two-minute demo: run, fail the next call, watch the retry, run again from the cache", async ({ page }) => {
  const server = await Server.start();
  try {
    await page.goto(server.url);
    await page.getByRole("button", { name: "Run the demo" }).click();
    const header = page.getByRole("main").locator("header").first();
    await expect(header).toContainText("Succeeded");
    await page.getByRole("button", { name: "Fail the next call" }).click();
    await page.getByRole("menuitem", { name: /500 Server Error/ }).click();
    await expect(page.getByText("The next model call will fail.")).toBeVisible();
    const first = page.url();
    await page.getByRole("button", { name: "Run again" }).click();
    await expect(page).not.toHaveURL(first);
    await expect(header).toContainText("Succeeded");
    await expect(header).toContainText(/saved \$0\.\d/);
  } finally {
    await server.stop();
  }
});

test("the palette goes anywhere", async ({ page, server }) => {
  const name = unique("Findable");
  await server.workflow(name, failing);
  await page.goto(`${server.url}/settings`);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog").getByRole("combobox").fill(name.toLowerCase());
  await expect(page.getByRole("option", { name, exact: true })).toBeVisible();
  await page.getByRole("dialog").getByRole("combobox").fill("failed runs");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/runs\?status=failed/);
});
