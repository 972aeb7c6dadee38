import type { Page } from "@playwright/test";
import { expect, test } from "./server";
import { still, type Box } from "./still";
import { pipeline, refund } from "./workflows";

const outline = (page: Page) => page.getByRole("navigation", { name: "Outline" });
const canvas = (page: Page) => page.getByRole("group", { name: "Canvas" });
const chain = (count: number) => {
  const nodes = Array.from({ length: count }, (_, index) => ({ id: `s${index}`, type: "tool", name: `Step ${index}`, config: { tool: "echo" } }));
  // Branches of three that part and meet, so that it is no list.
  const edges = nodes.slice(1).flatMap((node, index) => (index % 4 === 3 ? [1, 2, 3].map((back) => ({ from: `s${index + 1 - back}`, to: node.id })) : [{ from: `s${index - (index % 4)}`, to: node.id }]));
  return { version: "1", entry: "s0", limits: { maxNodes: count }, nodes, edges };
};

const meet = (a: Box, b: Box) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

test("2,000 steps are drawn as a whole, those in view only", async ({ page, server }) => {
  const id = await server.workflow("Two thousand", chain(2_000));
  await page.goto(`${server.url}/workflows/${id}/edit`);
  await expect(canvas(page).locator("[data-step]").first()).toBeVisible();
  await expect.poll(() => canvas(page).locator("[data-step]").count()).toBeLessThan(200);
  await expect(page.getByText(/steps are drawn/)).toBeHidden();
  await outline(page).getByRole("button", { name: /^Step 0,/ }).focus();
  await page.keyboard.press("End");
  const last = outline(page).locator("button:focus");
  await expect(last).toHaveAttribute("aria-label", /^Step 19\d\d/);
  const name = (await last.innerText()).trim();
  await expect(canvas(page).getByRole("button", { name: new RegExp(`^${name},`) })).toBeInViewport();
});

test("of more steps those around the selected one are drawn; the outline has them all", async ({ page, server }) => {
  const id = await server.workflow("Three thousand", chain(3_000));
  await page.goto(`${server.url}/workflows/${id}/edit`);
  await expect(page.getByText(/^300 of 3,000 steps are drawn, those around “Step 0”/)).toBeVisible();
  await expect(canvas(page).getByRole("button", { name: /^Step 0,/ })).toBeVisible();
  await outline(page).getByRole("button", { name: /^Step 0,/ }).focus();
  await page.keyboard.press("End");
  await expect(page.getByText(/those around “Step 29\d\d”/)).toBeVisible();
  await expect(canvas(page).getByRole("button", { name: /^Step 29\d\d,/ }).first()).toBeVisible();
  // What is changed here is changed in the whole.
  await page.getByLabel("Name", { exact: true }).fill("The end");
  await expect(page.getByRole("group", { name: "Saving" })).toContainText("Draft saved");
  const draft = await server.get<{ graph_json: { nodes: { name: string }[] } }>(`/api/workflows/${id}/draft`);
  expect(draft.graph_json.nodes).toHaveLength(3_000);
  expect(draft.graph_json.nodes.filter((node) => node.name === "The end")).toHaveLength(1);
});

test("rules of branches that part do not stand on one another, in the editor and in a run", async ({ page, server }) => {
  const rule = (branch: string) => `branch == '${branch}' && size(node.sort.output) > 2000 && input.tier == 'enterprise customers only'`;
  const document = {
    version: "1",
    entry: "sort",
    nodes: [
      { id: "sort", type: "tool", config: { tool: "text", template: "{{input.tier}}" } },
      { id: "route", type: "router", config: { rule: "'long'" } },
      ...["long", "short", "other"].map((id) => ({ id, type: "tool", config: { tool: "echo" } })),
    ],
    edges: [{ from: "sort", to: "route" }, ...["long", "short", "other"].map((to) => ({ from: "route", to, when: rule(to) }))],
  };
  const id = await server.workflow("Rules", document);
  const run = await server.run(id, { tier: "x" }, 20);
  for (const path of [`/workflows/${id}/edit`, `/runs/${run}?view=graph`]) {
    await page.goto(`${server.url}${path}`);
    const labels = page.locator("[title^='branch == ']");
    await expect(labels).toHaveCount(3);
    const boxes = await still(...(await labels.all()));
    boxes.forEach((a, at) => boxes.slice(at + 1).forEach((b) => expect(meet(a, b), `${JSON.stringify(a)} and ${JSON.stringify(b)}`).toBe(false)));
    const nodes = await still(...(await page.locator(".react-flow__node").all()));
    for (const label of boxes) for (const node of nodes) expect(meet(label, node), "a rule stands beside the steps").toBe(false);
  }
  await page.goto(`${server.url}/workflows/${id}/edit`);
  await page.locator("[title^='branch == ']").first().click();
  await expect(page.getByRole("tab", { name: "Edge" })).toBeVisible();
});

for (const width of [1440, 360]) {
  test(`a folded wait says how long it is beside the rows, at ${width} px`, async ({ page, server }) => {
    await page.setViewportSize({ width, height: 800 });
    const run = await server.run(await server.workflow("Asks", refund), { order: "A-1" });
    await page.goto(`${server.url}/runs/${run}?step=`);
    await expect(page.getByRole("button", { name: /May we refund\?, Approval, Waiting/ })).toBeVisible();
    const label = page.getByText(/^[\d.]+ s( waiting.*)?$/).and(page.locator("[class*=bg-raised]"));
    // The wait goes on while this looks, so that one look may fall between two drawings.
    await expect(async () => {
      const [mark, list] = [await label.boundingBox(), await page.getByRole("list", { name: "Steps" }).boundingBox()];
      if (!mark || !list) throw new Error("the label or the rows are not on the screen");
      expect(meet(mark, list)).toBe(false);
      expect(mark.x + mark.width).toBeLessThanOrEqual(width);
    }).toPass();
  });
}

test("a run of an edited document says what it was edited from, in the list and on its page", async ({ page, server }) => {
  const first = await server.run(await server.workflow("Edited notes", pipeline), { topic: "tea" }, 20);
  const { runId } = await server.post(`/api/runs/${first}/fork`, { from: "draft", edits: { draft: { config: { prompt: "Short." }, inputs: {} } } });
  // A copy of the copy leads back to the same version.
  await expect.poll(async () => (await server.get<{ status: string }>(`/api/runs/${runId}`)).status).toBe("succeeded");
  const again = await server.post(`/api/runs/${runId}/fork`, { from: "polish", edits: { polish: { config: { prompt: "Shorter." }, inputs: {} } } });
  for (const id of [runId, again.runId]) {
    await page.goto(`${server.url}/runs/${id}`);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(/edited copy of\s*Edited notes\s*v1/);
  }
  await page.goto(`${server.url}/runs?q=${runId}`);
  await expect(page.getByRole("row").nth(1)).toContainText(/edited copy of\s*Edited notes\s*v1/);
  await page.goto(`${server.url}/compare?a=${first}&b=${runId}`);
  await expect(page.getByRole("region", { name: "Totals" })).toContainText(/edited copy of\s*Edited notes\s*v1/);
});
