import type { Page } from "@playwright/test";
import { expect, Server, test } from "./server";
import { still } from "./still";
import { greeting } from "./workflows";

const step = (page: Page, name: string) => page.getByRole("group", { name: "Canvas" }).getByRole("button", { name: new RegExp(`^${name},`) });
const outline = (page: Page) => page.getByRole("navigation", { name: "Outline" });
const details = (page: Page) => page.getByRole("complementary", { name: "Details" });
/** Adds a step with the palette, by a click. */
const offer = (page: Page, name: string) => page.getByRole("listbox", { name: "Steps to add" }).getByRole("option", { name: new RegExp(`^${name}`) });
const saved = (page: Page) => expect(page.getByRole("group", { name: "Saving" })).toContainText(/Draft saved|Published/);
const problems = (page: Page) => page.getByRole("region", { name: "Problems" });
const run = (page: Page) => page.getByRole("button", { name: "Run", exact: true });
interface Draft {
  graph_json: { nodes: { id: string; config: Record<string, unknown>; ui?: unknown }[]; edges: { from: string; to: string; when?: string }[]; entry: string };
}
const draft = (server: Server, id: string) => server.get<Draft>(`/api/workflows/${id}/draft`);

const tool = (id: string, more: Record<string, unknown> = {}) => ({ id, type: "tool", config: { tool: "echo" }, ...more });
const three = { version: "1", entry: "a", nodes: [tool("a"), tool("b"), tool("c")], edges: [{ from: "a", to: "b" }, { from: "b", to: "c" }] };

async function open(page: Page, server: Server, name: string, document: unknown): Promise<string> {
  const id = await server.workflow(name, document);
  await page.goto(`${server.url}/workflows/${id}/edit`);
  await expect(outline(page)).toBeVisible();
  return id;
}

test("build five steps from nothing, connect them, run them", async ({ page, server }) => {
  await page.goto(`${server.url}/workflows`);
  await page.getByRole("button", { name: "New workflow" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Five by mouse");
  await page.getByRole("button", { name: "Create" }).click();
  await expect(step(page, "Answer")).toBeVisible();
  for (const name of ["LLM", "Router", "echo", "json"]) await offer(page, name).click();
  await expect(outline(page).getByRole("button")).toHaveCount(5);
  // What was clicked follows what was selected; the last two belong behind the router.
  const id = page.url().split("/").at(-2) ?? "";
  await saved(page);
  const { graph_json } = await draft(server, id);
  expect(graph_json.edges.map(({ from, to }) => `${from} ${to}`)).toEqual(["answer llm", "llm router", "router echo", "echo json"]);

  // Another edge, by hand.
  const handle = (name: string, type: string) => step(page, name).locator(`.react-flow__handle.${type}`);
  await still(step(page, "router"), step(page, "json"));
  await handle("router", "source").dragTo(step(page, "json"), { force: true });
  await saved(page);
  expect((await draft(server, id)).graph_json.edges).toHaveLength(5);

  // One that would be a cycle is refused while it is drawn, with the way around.
  await page.getByRole("button", { name: "Fit View" }).click();
  const [from, to] = await still(handle("json", "source"), step(page, "llm"));
  if (!from || !to) throw new Error("the steps are not on the screen");
  await page.mouse.move(from.x + from.width / 2, from.y + from.height / 2);
  await page.mouse.down();
  await page.mouse.move(to.x + to.width / 2, to.y + 4, { steps: 8 });
  await expect(page.getByText(/This would be a cycle: llm → router → json → llm/)).toBeVisible();
  await page.mouse.up();
  await expect(page.getByText(/This would be a cycle/).first()).toBeVisible();
  await saved(page);
  expect((await draft(server, id)).graph_json.edges).toHaveLength(5);

  await outline(page).getByRole("button", { name: /^json/ }).click();
  await details(page).getByRole("button", { name: "Delete this step" }).click();
  await expect(problems(page)).toContainText("No problems");
  await run(page).click();
  const dialog = page.getByRole("dialog", { name: "Run Five by mouse" });
  await expect(dialog).toContainText("Your changes are published as version 2 first.");
  await dialog.getByLabel("topic").fill("rain");
  await dialog.getByRole("button", { name: "Run", exact: true }).click();
  await expect(page).toHaveURL(/\/runs\//);
  await expect(page.getByRole("main").locator("header").first()).toContainText("Succeeded");
});

test("the same by keyboard only", async ({ page, server }) => {
  await page.goto(`${server.url}/workflows`);
  await expect(page.getByRole("button", { name: "New workflow" })).toBeVisible();
  await page.getByRole("button", { name: "New workflow" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByLabel("Name", { exact: true })).toBeFocused();
  await page.keyboard.type("Five by keyboard");
  await page.keyboard.press("Enter");
  await expect(step(page, "Answer")).toBeVisible();
  const id = page.url().split("/").at(-2) ?? "";
  await page.keyboard.press("/");
  for (const name of ["llm", "router", "echo", "text"]) {
    await page.keyboard.type(name);
    await page.keyboard.press("Enter");
  }
  await expect(outline(page).getByRole("button")).toHaveCount(5);
  // Tab goes to the outline, which is one stop; Enter opens the step's first field.
  await page.keyboard.press("Tab");
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowDown");
  await expect(outline(page).getByRole("button", { name: /^llm/ })).toBeFocused();
  // A second way out of it: chosen by name.
  await page.keyboard.press("c");
  const pick = page.getByRole("dialog", { name: "Connect “llm” to" });
  await expect(pick.getByRole("option", { name: /Answer/ })).toContainText("This would be a cycle: answer → llm → answer.");
  await page.keyboard.type("text");
  await page.keyboard.press("Enter");
  await expect(pick).toBeHidden();
  await page.keyboard.press("Enter");
  await expect(details(page).getByLabel("Provider", { exact: true })).toBeFocused();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await expect(details(page).getByLabel("Prompt", { exact: true })).toBeFocused();
  await page.keyboard.press("Control+a");
  await page.keyboard.type("Shorter: {{node.an");
  await expect(page.getByRole("option", { name: /node\.answer\.output/ })).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(details(page).getByLabel("Prompt", { exact: true })).toHaveValue("Shorter: {{node.answer.output}}");
  await saved(page);
  const { graph_json } = await draft(server, id);
  expect(graph_json.edges.map(({ from, to }) => `${from} ${to}`)).toEqual(["answer llm", "llm router", "router echo", "echo text", "llm text"]);
  await expect(problems(page)).toContainText("No problems");
  await page.keyboard.press("Control+Enter");
  await expect(page.getByRole("dialog", { name: "Run Five by keyboard" }).getByLabel("topic")).toBeFocused();
  await page.keyboard.type("snow");
  await page.keyboard.press("Control+Enter");
  await expect(page).toHaveURL(/\/runs\//);
  await expect(page.getByRole("main").locator("header").first()).toContainText("Succeeded");
});

test("the canvas is one stop for Tab; arrow keys go between steps, Alt moves them, Delete takes them away", async ({ page, server }) => {
  const id = await open(page, server, "Steered", three);
  await expect(step(page, "a")).toBeVisible();
  await expect(page.getByRole("group", { name: "Canvas" }).locator("[data-step][tabindex='0']")).toHaveCount(1);
  await expect(page.locator(".react-flow__edge[tabindex]")).toHaveCount(0);
  await expect(page.locator(".react-flow__node[tabindex]")).toHaveCount(0);
  await step(page, "a").focus();
  await page.keyboard.press("ArrowDown");
  await expect(step(page, "b")).toBeFocused();
  await expect(page.getByRole("group", { name: "Canvas" }).locator("[data-step][tabindex='0']")).toHaveCount(1);
  await page.keyboard.press("ArrowDown");
  await expect(step(page, "c")).toBeFocused();
  await page.keyboard.press("Alt+ArrowRight");
  await saved(page);
  const { graph_json } = await draft(server, id);
  expect(graph_json.nodes.every((node) => node.ui)).toBe(true);
  await page.keyboard.press("Delete");
  await expect(outline(page).getByRole("button")).toHaveCount(2);
  await expect(step(page, "b")).toBeFocused();
  await page.getByRole("button", { name: "Tidy the layout" }).click();
  await saved(page);
  expect((await draft(server, id)).graph_json.nodes.some((node) => node.ui)).toBe(false);
});

test("what breaks is said at the field and in the list, and nothing runs until it is mended", async ({ page, server }) => {
  await open(page, server, "Broken", greeting);
  await outline(page).getByRole("button", { name: /^Greet/ }).click();
  const prompt = details(page).getByLabel("Prompt", { exact: true });
  await prompt.fill("Greet {{node.nobody.output}} today.");
  await expect(details(page).getByText("Unknown node nobody.")).toBeVisible();
  await expect(prompt).toHaveAttribute("aria-invalid", "true");
  await expect(details(page).locator("span.decoration-wavy")).toHaveText("{{node.nobody.output}}");
  await expect(run(page)).toBeDisabled();
  await expect(run(page)).toHaveAccessibleDescription("Fix 1 problem first");
  await expect(page.getByText("Fix 1 problem first")).toBeVisible();

  // From somewhere else, the problem leads back to its field.
  await page.getByRole("group", { name: "Canvas" }).click({ position: { x: 5, y: 5 } });
  await expect(details(page).getByRole("heading", { name: "Workflow" })).toBeVisible();
  await problems(page).getByRole("button", { name: /1 problem/ }).click();
  await problems(page).getByRole("button", { name: /Unknown node nobody/ }).click();
  await expect(prompt).toBeFocused();
  await prompt.fill("Greet {{input.name}}.");
  await expect(run(page)).toBeEnabled();
  await expect(details(page).locator("span.decoration-wavy")).toHaveCount(0);

  // A rule is checked as it is typed.
  await offer(page, "Router").click();
  await details(page).getByLabel("Rule", { exact: true }).fill("len(text) >");
  await expect(details(page).getByText("The expression cannot be read: unexpected end (column 12).")).toBeVisible();
  await expect(run(page)).toBeDisabled();
  // A field that waits under "more settings" opens when its problem is clicked.
  await details(page).getByLabel("Rule", { exact: true }).fill("len(text) > 3");
  await expect(run(page)).toBeEnabled();
  await outline(page).getByRole("button", { name: /^Greet/ }).click();
  await details(page).getByText(/more settings/).click();
  await details(page).getByLabel("Temperature", { exact: true }).fill("9");
  await expect(details(page).getByText(/between 0 and 2|at most 2|0 to 2/)).toBeVisible();
});

test("JSON and canvas follow each other; bad JSON keeps the last good canvas; undo goes back over both; reload loses nothing", async ({ page, server }) => {
  const id = await open(page, server, "Text", three);
  await page.getByRole("tab", { name: "JSON" }).click();
  const text = page.getByRole("textbox", { name: "Workflow as JSON" });
  await expect(text).toContainText('"entry": "a"');
  await text.click();
  await page.keyboard.press("Control+a");
  const four = { ...three, nodes: [...three.nodes, tool("added")], edges: [...three.edges, { from: "c", to: "added" }] };
  await page.keyboard.insertText(JSON.stringify(four, null, 2));
  await expect(step(page, "added")).toBeVisible();
  await page.keyboard.press("Control+End");
  await page.keyboard.press("Backspace");
  await expect(page.getByText("The canvas shows the last one that could be read.")).toBeVisible();
  await expect(step(page, "added")).toBeVisible();
  await expect(run(page)).toBeDisabled();
  await saved(page);
  await page.reload();
  // The broken text is there again, as it was left.
  await expect(page.getByText("The canvas shows the last one that could be read.")).toBeVisible();
  await expect(text).toContainText('"added"');
  await text.click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("}");
  await expect(page.getByText("The canvas shows the last one that could be read.")).toBeHidden();
  await expect(step(page, "added")).toBeVisible();

  // Twenty changes on the canvas, seen in the text, and twenty steps back.
  for (let time = 0; time < 20; time++) await offer(page, "echo").click();
  await expect(outline(page).getByRole("button")).toHaveCount(24);
  for (let time = 0; time < 20; time++) await page.getByRole("button", { name: /^Undo/ }).click();
  await expect(outline(page).getByRole("button")).toHaveCount(4);
  await page.getByRole("button", { name: /^Redo/ }).click();
  await expect(outline(page).getByRole("button")).toHaveCount(5);
  await saved(page);
  expect((await draft(server, id)).graph_json.nodes).toHaveLength(5);
  await page.reload();
  await expect(outline(page).getByRole("button")).toHaveCount(5);
});

test("two tabs edit one workflow: nobody overwrites, both are shown, one is kept", async ({ context, server }) => {
  const id = await server.workflow("Contested", three);
  const [one, two] = [await context.newPage(), await context.newPage()];
  for (const page of [one, two]) {
    await page.goto(`${server.url}/workflows/${id}/edit?node=a`);
    await expect(details(page).getByLabel("Name", { exact: true })).toBeVisible();
  }
  await details(one).getByLabel("Name", { exact: true }).fill("From one");
  await saved(one);
  await expect.poll(async () => JSON.stringify(await draft(server, id))).toContain("From one");
  await details(two).getByLabel("Name", { exact: true }).fill("From two");
  const dialog = two.getByRole("dialog", { name: "Somebody else changed this workflow" });
  await expect(dialog).toBeVisible();
  await expect(dialog.getByLabel("Step a, mine")).toContainText("From two");
  await expect(dialog.getByLabel("Step a, theirs")).toContainText("From one");
  await dialog.getByRole("button", { name: "Decide later" }).click();
  expect(JSON.stringify(await draft(server, id))).toContain("From one");
  await two.getByRole("button", { name: "Changed elsewhere: decide" }).click();
  await dialog.getByRole("button", { name: "Take theirs" }).click();
  await expect(details(two).getByLabel("Name", { exact: true })).toHaveValue("From one");
  await two.getByRole("button", { name: /^Undo/ }).click();
  await expect(details(two).getByLabel("Name", { exact: true })).toHaveValue("From two");
  await saved(two);
  await expect.poll(async () => JSON.stringify(await draft(server, id))).toContain("From two");
  // Now the first tab is behind.
  await details(one).getByLabel("Name", { exact: true }).fill("From one again");
  const other = one.getByRole("dialog", { name: "Somebody else changed this workflow" });
  await other.getByRole("button", { name: "Keep mine" }).click();
  await saved(one);
  await expect.poll(async () => JSON.stringify(await draft(server, id))).toContain("From one again");
});

test("publish, look at the versions, restore one", async ({ page, server }) => {
  const id = await open(page, server, "Versioned", three);
  await outline(page).getByRole("button", { name: /^c/ }).click();
  await page.keyboard.press("Delete");
  await saved(page);
  expect((await server.get<{ version: number }>(`/api/workflows/${id}`)).version).toBe(1);
  await page.getByRole("button", { name: "Publish" }).click();
  await expect(page.getByText("Version 2 is published")).toBeVisible();
  await page.getByRole("tab", { name: "Versions" }).click();
  await expect(details(page).getByText(/runs start with it/)).toBeVisible();
  await details(page).getByRole("button", { name: "Compare with version 1" }).click();
  await expect(details(page).getByText("Step c")).toBeVisible();
  await details(page).getByRole("button", { name: "Restore version 1" }).click();
  await expect(outline(page).getByRole("button")).toHaveCount(3);
  await saved(page);
  expect((await server.get<{ version: number }>(`/api/workflows/${id}`)).version).toBe(2);
});

test("rename the workflow, with a draft on top", async ({ page, server }) => {
  const id = await open(page, server, "Before", three);
  await outline(page).getByRole("button", { name: /^a/ }).click();
  await details(page).getByLabel("Name", { exact: true }).fill("Still a draft");
  await page.getByRole("button", { name: "Rename" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill("After");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("After");
  await details(page).getByLabel("Name", { exact: true }).fill("A draft still");
  await saved(page);
  await expect.poll(async () => JSON.stringify(await draft(server, id))).toContain("A draft still");
  expect(await server.get(`/api/workflows/${id}`)).toMatchObject({ name: "After", version: 2 });
});

test("copy, cut and paste steps, also into another workflow", async ({ context, page, server }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await open(page, server, "Source", three);
  await outline(page).getByRole("button", { name: /^b/ }).click();
  await outline(page).getByRole("button", { name: /^c/ }).click({ modifiers: ["Shift"] });
  await expect(details(page).getByRole("heading", { name: "2 steps selected" })).toBeVisible();
  await page.keyboard.press("Control+c");
  await page.keyboard.press("Control+v");
  await expect(outline(page).getByRole("button", { name: /^c_2/ })).toBeVisible();
  const id = await open(page, server, "Target", greeting);
  await expect(step(page, "Greet")).toBeVisible();
  await page.keyboard.press("Control+v");
  await expect(outline(page).getByRole("button")).toHaveCount(3);
  await saved(page);
  expect((await draft(server, id)).graph_json.edges).toEqual([{ from: "b", to: "c" }]);
});

test("rename an id, and what reads it follows", async ({ page, server }) => {
  const id = await open(page, server, "Other id", {
    version: "1",
    entry: "a",
    nodes: [tool("a"), { id: "b", type: "llm", config: { prompt: "Say {{node.a.output}}" } }],
    edges: [{ from: "a", to: "b" }],
  });
  await outline(page).getByRole("button", { name: /^a/ }).click();
  await details(page).getByLabel("Id", { exact: true }).fill("source");
  await page.keyboard.press("Enter");
  await saved(page);
  const { graph_json } = await draft(server, id);
  expect([graph_json.entry, graph_json.edges[0]?.from, graph_json.nodes[1]?.config.prompt]).toEqual(["source", "source", "Say {{node.source.output}}"]);
  await expect(problems(page)).toContainText("No problems");
});

test("drag a step onto the canvas, and it stays where it was dropped", async ({ page, server }) => {
  const id = await open(page, server, "Dropped", three);
  await expect(step(page, "a")).toBeVisible();
  await offer(page, "Router").dragTo(page.getByRole("group", { name: "Canvas" }), { targetPosition: { x: 80, y: 120 } });
  await expect(step(page, "router")).toBeVisible();
  await saved(page);
  const [box, canvas] = await still(step(page, "router"), page.getByRole("group", { name: "Canvas" }));
  const { graph_json } = await draft(server, id);
  expect(graph_json.nodes.every((node) => node.ui)).toBe(true);
  expect(graph_json.edges).toHaveLength(2);
  if (!box || !canvas) throw new Error("the step is not on the screen");
  expect(Math.abs(box.x + box.width / 2 - canvas.x - 80)).toBeLessThan(4);
});

test("the body of a step opens as a graph of its own, with the way back", async ({ page, server }) => {
  const id = await server.workflow("Nested", three);
  const body = { entry: "x", nodes: [tool("x", { name: "Inside" }), tool("y")], edges: [{ from: "x", to: "y" }] };
  const document = { ...three, nodes: [...three.nodes, { id: "each", type: "map", name: "For each", config: { items: "{{node.a.output}}", body } }], edges: [...three.edges, { from: "c", to: "each" }] };
  const put = await fetch(`${server.url}/api/workflows/${id}/draft`, { method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify({ graph_json: document }) });
  expect(put.status).toBe(200);
  await page.goto(`${server.url}/workflows/${id}/edit?node=each`);
  await details(page).getByRole("button", { name: "Open the body" }).click();
  await expect(step(page, "Inside")).toBeVisible();
  await expect(page).toHaveURL(/body=each/);
  await outline(page).getByRole("button", { name: /^y/ }).click();
  await offer(page, "echo").click();
  await saved(page);
  const { graph_json } = await draft(server, id);
  const inside = graph_json.nodes[3]?.config.body as typeof body;
  expect(inside.edges).toEqual([{ from: "x", to: "y" }, { from: "y", to: "echo" }]);
  await page.reload();
  await expect(step(page, "Inside")).toBeVisible();
  await page.getByRole("navigation", { name: "Bodies" }).getByRole("button", { name: "Nested" }).click();
  await expect(step(page, "For each")).toBeVisible();
});

test("every kind of step comes out of the palette ready to run, and its body opens", async ({ page, server }) => {
  const id = await open(page, server, "Every kind", three);
  for (const name of ["LLM", "Agent", "Map", "Loop", "Approval", "Wait", "Gate", "Set", "Router"]) await offer(page, name).click();
  await expect(outline(page).getByRole("button")).toHaveCount(12);
  await saved(page);
  const { problems: found } = await server.get<{ problems: unknown[] }>(`/api/workflows/${id}/draft`);
  expect(found).toEqual([]);
  await expect(problems(page)).toContainText("No problems");
  await outline(page).getByRole("button", { name: /^loop/ }).click();
  const until = details(page).getByLabel("Until", { exact: true });
  await details(page).getByText(/more settings/).click();
  await until.fill("iteration.");
  await expect(page.getByRole("option", { name: /iteration\.last/ })).toBeVisible();
  await page.keyboard.press("Escape");
  await until.fill("");
  await details(page).getByRole("button", { name: "Open the body" }).click();
  await expect(step(page, "step_2")).toBeVisible();
  await page.getByRole("navigation", { name: "Bodies" }).getByRole("button").click();
  // One that needs to know more says so.
  await offer(page, "Workflow").click();
  await expect(problems(page)).toContainText(/problem/);
  await expect(run(page)).toBeDisabled();
});

test("three hundred steps: drawn, steered, changed", async ({ page, server }) => {
  const nodes = Array.from({ length: 300 }, (_, index) => tool(`s${index}`, { name: `Step ${index}` }));
  const edges = nodes.slice(1).map((node, index) => ({ from: `s${index - (index % 3)}`, to: node.id }));
  const id = await open(page, server, "Large", { version: "1", entry: "s0", nodes, edges });
  await expect(step(page, "Step 0")).toBeVisible();
  await expect(page.getByRole("img", { name: "Overview" })).toBeVisible();
  await step(page, "Step 0").focus();
  for (let times = 0; times < 12; times++) {
    const before = await page.evaluate(() => (document.activeElement as HTMLElement).dataset.step);
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => page.evaluate(() => (document.activeElement as HTMLElement).dataset.step)).not.toBe(before);
    await expect(page.locator("[data-step]:focus")).toBeInViewport();
  }
  await outline(page).locator("button[tabindex='0']").focus();
  await page.keyboard.press("End");
  const last = outline(page).locator("button").last();
  await expect(last).toBeFocused();
  const name = ((await last.textContent()) ?? "").trim();
  await expect(step(page, name)).toBeVisible();
  await details(page).getByLabel("Name", { exact: true }).fill("The last one");
  await saved(page);
  expect((await draft(server, id)).graph_json.nodes).toHaveLength(300);
  await expect(step(page, "The last one")).toBeVisible();
});

test("names in any script, from right to left too, stay as they are", async ({ page, server }) => {
  const names = ["مرحبا بالعالم", "日本語の手順", "Ünïcödé 🧪"];
  const id = await open(page, server, "عربي ✓", { ...three, nodes: three.nodes.map((node, index) => ({ ...node, name: names[index] })) });
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("عربي ✓");
  for (const name of names) await expect(step(page, name)).toBeVisible();
  await outline(page).getByRole("button", { name: new RegExp(`^${names[0]}`) }).click();
  const field = details(page).getByLabel("Name", { exact: true });
  await expect(field).toHaveAttribute("dir", "auto");
  await expect(field).toHaveCSS("direction", "rtl");
  await field.fill("שלום 👋");
  await saved(page);
  expect(JSON.stringify(await draft(server, id))).toContain("שלום 👋");
  expect(JSON.stringify(await draft(server, id))).toContain("日本語の手順");
});

test("without the server nothing is lost: it is saved when the server is back, and over a reload", async ({ page }) => {
  const server = await Server.start();
  try {
    const id = await open(page, server, "Offline", three);
    await outline(page).getByRole("button", { name: /^a/ }).click();
    await server.kill();
    await details(page).getByLabel("Name", { exact: true }).fill("Typed without a server");
    await expect(page.getByText("Not saved yet")).toBeVisible();
    await server.restart();
    await page.reload();
    await expect(step(page, "Typed without a server")).toBeVisible();
    await saved(page);
    await expect.poll(async () => JSON.stringify(await draft(server, id))).toContain("Typed without a server");
  } finally {
    await server.stop();
  }
});

test("a prompt of HTML stays text in the editor", async ({ page, server }) => {
  await open(page, server, "Hostile", { version: "1", entry: "a", nodes: [{ id: "a", type: "llm", name: "<img src=x onerror=alert(1)>", config: { prompt: "<script>window.hacked=1</script>{{input.x}}" } }], edges: [] });
  await expect(step(page, "<img src=x onerror=alert\\(1\\)>")).toBeVisible();
  await page.getByRole("tab", { name: "JSON" }).click();
  await expect(page.getByRole("textbox", { name: "Workflow as JSON" })).toContainText("window.hacked");
  expect(await page.evaluate(() => (window as { hacked?: number }).hacked)).toBeUndefined();
});
