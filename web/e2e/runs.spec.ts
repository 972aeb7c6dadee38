import { expect, test } from "./server";
import { failing, retryAndFallback, cached } from "./workflows";

test("closing a step brings the focus back to its row, by the button and by the key", async ({ page, server }) => {
  const run = await server.run(await server.workflow("Focus", failing), {}, 20);
  await page.goto(`${server.url}/runs/${run}`);
  const row = page.getByRole("button", { name: /^Draft the reply, LLM, Failed/ });
  await expect(row).toBeVisible();
  for (const key of ["Enter", "Escape"]) {
    await page.getByRole("button", { name: "Close the step (Esc)" }).focus();
    await page.keyboard.press(key);
    await expect(row).toBeFocused();
    await page.keyboard.press("Enter");
  }
});

test("from the list to the failing step with its prompt and its error in one click", async ({ page, server }) => {
  const run = await server.run(await server.workflow("Support reply", failing), {}, 20);
  await page.goto(`${server.url}/runs?q=${run}`);
  await page.getByRole("link", { name: /draft_reply.*429/ }).click();
  await expect(page).toHaveURL(new RegExp(`/runs/${run}\\?step=draft_reply`));
  const pane = page.getByRole("complementary", { name: "Step draft_reply" });
  await expect(pane.getByText("Write a reply to: Ticket: my invoice is wrong.")).toBeVisible();
  await expect(pane.getByText(/HTTP 429/).first()).toBeVisible();
});

test("a failed run opens on its failing step, and stays closed once closed", async ({ page, server }) => {
  const run = await server.run(await server.workflow("Support reply", failing), {}, 20);
  await page.goto(`${server.url}/runs/${run}`);
  const pane = page.getByRole("complementary", { name: "Step draft_reply" });
  await expect(pane).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(pane).toBeHidden();
  await page.reload();
  await expect(page.getByRole("button", { name: /Read the ticket/ })).toBeVisible();
  await expect(pane).toBeHidden();
  await page.keyboard.press("e");
  await expect(pane).toBeVisible();
});

test("each attempt is a bar of its own, and the totals are the API's", async ({ page, server }) => {
  const run = await server.run(await server.workflow("Fallback", retryAndFallback), {}, 20);
  const { total_tokens, total_cost_nanousd, retries, fallbacks } = await server.get<Record<string, number>>(`/api/runs/${run}`);
  expect([retries, fallbacks]).toEqual([1, 1]);
  await page.goto(`${server.url}/runs/${run}?step=answer&tab=timing`);
  const row = page.getByRole("button", { name: /^Answer, LLM, Succeeded/ });
  await expect(row.locator("span[title^='Attempt ']")).toHaveCount(3);
  await expect(row.locator("span[title*=', failed, ']")).toHaveCount(2);
  await expect(row.getByText("1 retry")).toBeVisible();
  await expect(row.getByText("fallback claude-haiku-4-5")).toBeVisible();
  const header = page.getByRole("main").locator("header").first();
  await expect(header.getByText("Tokens").locator("xpath=../dd")).toHaveText(total_tokens?.toLocaleString("en-US") ?? "");
  await expect(header.getByText("Cost", { exact: true }).locator("xpath=..")).toHaveAttribute("title", `${total_cost_nanousd?.toLocaleString("en-US")} nano-dollars`);
  await expect(page.getByRole("cell", { name: "3/3" })).toBeVisible();
});

test("a second run comes from the cache, costs nothing, and shows what it saved", async ({ page, server }) => {
  const id = await server.workflow("Cached", cached);
  await server.run(id, { salt: "s" }, 20);
  const run = await server.run(id, { salt: "s" }, 20);
  await page.goto(`${server.url}/runs/${run}?step=answer&tab=cost`);
  await expect(page.getByRole("button", { name: /^Answer, LLM/ }).getByText("cached")).toBeVisible();
  await expect(page.getByText(/1 hit, saved \$0\.0/)).toBeVisible();
  await expect(page.getByRole("region", { name: "Tokens & cost" }).getByText("$0", { exact: true })).toBeVisible();
});

test("filters live in the URL", async ({ page, server }) => {
  const id = await server.workflow("Filtered", failing);
  await server.run(id, {}, 20);
  await page.goto(`${server.url}/runs`);
  await page.getByLabel("Status", { exact: true }).selectOption("failed");
  await page.getByLabel("Workflow", { exact: true }).selectOption(id);
  await expect(page).toHaveURL(/status=failed/);
  await page.reload();
  await expect(page.getByLabel("Status", { exact: true })).toHaveValue("failed");
  await expect(page.getByRole("row")).toHaveCount(2);
  await page.getByLabel("Status", { exact: true }).selectOption("succeeded");
  await expect(page.getByText("No run matches")).toBeVisible();
});

test("a filter takes what is typed in its middle, and the row that was typed for", async ({ page, server }) => {
  const run = await server.run(await server.workflow("Typed", failing), {}, 20);
  for (const [path, label] of [["/runs", "Filter the rows"], [`/runs/${run}?view=log`, "Filter the events"]] as const) {
    await page.goto(`${server.url}${path}`);
    const field = page.getByLabel(label);
    await field.click();
    await page.keyboard.type("reply");
    await page.keyboard.press("Home");
    await page.keyboard.type("draft_");
    await expect(field).toHaveValue("draft_reply");
    await expect(page).toHaveURL(/q=draft_reply/);
  }
});

test("the keyboard alone reaches a failing step", async ({ page, server }) => {
  const id = await server.workflow("Keys", failing);
  const run = await server.run(id, {}, 20);
  await page.goto(`${server.url}/runs?workflow=${id}`);
  await expect(page.getByRole("row")).toHaveCount(2);
  await page.keyboard.press("j");
  await expect(page.getByRole("link", { name: /^Keys v1/ })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(run));
  await expect(page.getByRole("button", { name: /Draft the reply, LLM/ })).toBeVisible();
  await page.keyboard.press("Escape");
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await expect(page.getByRole("button", { name: /Draft the reply, LLM/ })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("complementary", { name: "Step draft_reply" })).toBeVisible();
  await page.keyboard.press("4");
  await expect(page).toHaveURL(/view=log/);
  await page.keyboard.press("Escape");
  await page.keyboard.press("3");
  await page.locator(".react-flow__node[data-id=draft_reply]").focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("complementary", { name: "Step draft_reply" })).toBeVisible();
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keyboard" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toBeHidden();
});
