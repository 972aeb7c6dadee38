import { expect, test } from "./server";
import { agent, pipeline, refund, reviews } from "./workflows";

test("a replay with an edited prompt leads to the comparison, at the first difference, in three clicks", async ({ page, server }) => {
  const run = await server.run(await server.workflow("Notes", pipeline), { topic: "tea" }, 20);
  await page.goto(`${server.url}/runs/${run}`);
  // Click 1: the step. Click 2: replay it. Click 3: start.
  await page.getByRole("button", { name: /^Draft, LLM/ }).click();
  await page.getByRole("button", { name: "Replay from here" }).click();
  const dialog = page.getByRole("dialog", { name: "Replay from Draft" });
  await expect(dialog.getByText("1 step is reused, at no cost")).toBeVisible();
  await expect(dialog.getByText("2 steps run again")).toBeVisible();
  await expect(dialog.getByText(/What runs again cost \$0\.0/)).toBeVisible();
  await expect(dialog.getByLabel("Prompt")).toBeFocused();
  await dialog.getByLabel("Prompt").fill("Write one short line from: {{node.outline.output}}");
  await dialog.getByRole("button", { name: "Start and compare" }).click();

  await expect(page).toHaveURL(new RegExp(`/compare\\?a=${run}&b=`));
  const step = page.getByRole("complementary", { name: "Step draft" });
  await expect(step.getByRole("region", { name: "Prompt" }).locator("del").first()).toHaveText(/long/);
  await expect(step.getByRole("region", { name: "Prompt" }).locator("ins").first()).toHaveText(/short/);
  await expect(page.getByRole("row", { name: /draft/ }).getByText("first")).toBeVisible();
  await expect(page.locator("[data-delta=cost]")).toHaveText(/−\$0\.0|\+\$0\.0/);
  await expect(page.getByRole("row", { name: /outline/ }).getByText("reused").first()).toBeVisible();
  // The API agrees.
  const url = new URL(page.url());
  const { first_divergence, a, b } = await server.get<{ first_divergence: string; a: { total_cost_nanousd: number }; b: { total_cost_nanousd: number } }>(`/api/compare${url.search}`);
  expect(first_divergence).toBe("draft");
  expect(b.total_cost_nanousd).not.toBe(a.total_cost_nanousd);

  await page.keyboard.press("n");
  await expect(page.getByRole("complementary", { name: "Step polish" })).toBeVisible();
  await page.getByRole("button", { name: "Only differences" }).click();
  await expect(page.getByRole("row", { name: /outline/ })).toBeHidden();
});

test("what cannot run is refused with a sentence before it is started", async ({ page, server }) => {
  const run = await server.run(await server.workflow("Notes", pipeline), { topic: "tea" }, 20);
  await page.goto(`${server.url}/runs/${run}?step=draft`);
  await page.getByRole("button", { name: "Replay from here" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Prompt").fill("From {{node.nowhere.output}}");
  await expect(dialog.getByRole("alert")).toContainText("nowhere");
  await expect(dialog.getByRole("button", { name: "Start and compare" })).toBeDisabled();
});

test("two runs of the list are compared", async ({ page, server }) => {
  const id = await server.workflow("Twice", pipeline);
  const a = await server.run(id, { topic: "tea" }, 20);
  const b = await server.run(id, { topic: "milk" }, 20);
  await page.goto(`${server.url}/runs?workflow=${id}`);
  await expect(page.getByRole("checkbox")).toHaveCount(2);
  for (const box of await page.getByRole("checkbox").all()) await box.check();
  await page.getByRole("button", { name: "Compare", exact: true }).click();
  await expect(page).toHaveURL(new RegExp(`/compare\\?a=${a}&b=${b}`));
  await expect(page.getByRole("complementary", { name: "Step outline" })).toBeVisible();
});

test("the state of a run after any of its events, by address, by key and by slider", async ({ page, server }) => {
  const run = await server.run(await server.workflow("Notes", pipeline), { topic: "tea" }, 20);
  const { events } = await server.get<{ events: { seq: number; kind: string; step_id: string | null }[] }>(`/api/runs/${run}/trace?limit=100`);
  const done = events.find((event) => event.kind === "step.succeeded" && event.step_id === "outline")?.seq ?? 0;
  await page.goto(`${server.url}/runs/${run}?at=${done}`);
  const travel = page.getByRole("region", { name: "Time travel" });
  await expect(travel.getByText(`Event ${done} of ${events.length}`)).toBeVisible();
  await expect(page.getByRole("button", { name: /^Outline, LLM, Succeeded/ })).toBeVisible();
  await expect(page.getByRole("button", { name: /^Polish/ })).toBeHidden();
  await page.keyboard.press(",");
  await expect(page).toHaveURL(new RegExp(`at=${done - 1}`));
  await expect(page.getByRole("button", { name: /^Outline, LLM, Running/ })).toBeVisible();
  await travel.getByRole("slider").press("End");
  await expect(page.getByRole("button", { name: /^Polish, LLM, Succeeded/ })).toBeVisible();
  await travel.getByRole("button", { name: "To the end" }).click();
  await expect(travel).toBeHidden();
  await page.keyboard.press("t");
  await expect(travel.getByText(`Event ${events.length} of ${events.length}`)).toBeVisible();
  await page.keyboard.press("t");
  await expect(travel).toBeHidden();
});

test("an agent of 50 turns stays readable", async ({ page, server }) => {
  const run = await server.run(await server.workflow("Support", agent(50)), { order: "A-1" }, 30);
  await page.goto(`${server.url}/runs/${run}?view=tree`);
  const { step_count, status } = await server.get<{ step_count: number; status: string }>(`/api/runs/${run}`);
  expect(status).toBe("succeeded");
  expect(step_count).toBeGreaterThan(98);
  // One row for the agent that says how far it went; its turns under it, one line each.
  const row = page.getByRole("treeitem", { name: /Support agent/ }).first();
  await expect(row).toBeVisible();
  await expect(row.getByText("50/50")).toBeVisible();
  await expect(page.getByRole("treeitem", { name: /model/ }).first().getByText("calls look_up")).toBeVisible();
  await row.click();
  await expect(page.getByRole("complementary").getByText("50 turns of at most 50")).toBeVisible();
  await expect.poll(() => page.locator("[data-row]").count()).toBeLessThan(120);
});

test("a run that waits is compared while it is under way", async ({ page, server }) => {
  const id = await server.workflow("Refunds", refund);
  const [a, b] = [await server.run(id, { order: "x" }), await server.run(id, { order: "y" })];
  await page.goto(`${server.url}/compare?a=${a}&b=${b}`);
  await expect(page.getByText(/under way/)).toBeVisible();
  await expect(page.getByRole("complementary", { name: "Step look_up" })).toBeVisible();
});

test("a step inside of a map is edited from the map", async ({ page, server }) => {
  const run = await server.run(await server.workflow("Reviews", reviews), { items: ["tea", "milk"] }, 20);
  await page.goto(`${server.url}/runs/${run}?step=each`);
  await page.getByRole("button", { name: "Replay from here" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByLabel("Configuration, as JSON")).toBeVisible();
  await dialog.getByLabel("Step to edit").selectOption("review");
  await dialog.getByLabel("Prompt").fill("Judge {{each.item}} in one word.");
  await dialog.getByLabel("Model").fill("gpt-4o");
  await expect(dialog.getByText("Changed: review")).toBeVisible();
  await dialog.getByRole("button", { name: "Start and compare" }).click();
  await expect(page).toHaveURL(new RegExp(`/compare\\?a=${run}&b=`));
  const b = new URL(page.url()).searchParams.get("b") ?? "";
  await expect.poll(async () => (await server.get<{ status: string }>(`/api/runs/${b}`)).status).toBe("succeeded");
  const { steps } = await server.get<{ steps: { step_id: string; model: string | null }[] }>(`/api/runs/${b}`);
  expect(steps.filter(({ step_id }) => step_id.endsWith("/review")).map(({ model }) => model)).toEqual(["gpt-4o", "gpt-4o"]);
  await page.getByRole("button", { name: /each\[0\]\/review|each\[1\]\/review/ }).or(page.getByRole("row", { name: /each\[0\]\/review/ })).first().click();
  await expect(page.getByRole("region", { name: "Prompt" }).locator("ins").first()).toBeVisible();
});
