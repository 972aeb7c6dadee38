import type { Page } from "@playwright/test";
import { expect, test, type Server } from "./server";

const details = (page: Page) => page.getByRole("complementary", { name: "Details" });
const group = (page: Page, name: string) => details(page).getByRole("group", { name, exact: true });
const saved = (page: Page) => expect(page.getByRole("group", { name: "Saving" })).toContainText(/Draft saved|Published/);
const nodeOf = async (server: Server, id: string, at = 0) =>
  (await server.get<{ graph_json: { nodes: { config: Record<string, unknown>; inputs?: unknown }[] } }>(`/api/workflows/${id}/draft`)).graph_json.nodes[at];

const tool = (id: string, more: Record<string, unknown> = {}) => ({ id, type: "tool", config: { tool: "echo" }, ...more });
const one = (node: Record<string, unknown>) => ({ version: "1", entry: node.id, nodes: [node], edges: [] });

async function add(page: Page, to: ReturnType<typeof group>, button: string, field: string, name: string) {
  await to.getByRole("button", { name: button }).last().click();
  await to.getByLabel(field).fill(name);
  await page.keyboard.press("Enter");
}

test("variables are set name by name: text with bindings, numbers and lists as JSON, and the whole as JSON", async ({ page, server }) => {
  const id = await server.workflow("Vars", one({ id: "put", type: "set", config: { vars: { who: "{{input.name}}" } } }));
  await page.goto(`${server.url}/workflows/${id}/edit?node=put`);
  const vars = group(page, "Vars");
  await expect(vars.getByLabel("who", { exact: true })).toHaveValue("{{input.name}}");
  await add(page, vars, "Add a variable", "Name of the variable", "count");
  await vars.getByRole("button", { name: /^Write count as JSON/ }).click();
  await vars.getByLabel("count", { exact: true }).fill("[1, 2]");
  await saved(page);
  expect((await nodeOf(server, id))?.config.vars).toEqual({ who: "{{input.name}}", count: [1, 2] });

  // A taken name is refused; another one keeps the place.
  await vars.getByRole("button", { name: "Rename who" }).click();
  await vars.getByLabel("New name of who").fill("count");
  await expect(vars.getByRole("button", { name: "Rename", exact: true })).toBeDisabled();
  await vars.getByLabel("New name of who").fill("person");
  await page.keyboard.press("Enter");
  await saved(page);
  expect(Object.keys((await nodeOf(server, id))?.config.vars as object)).toEqual(["person", "count"]);

  await vars.getByRole("button", { name: "Remove count" }).click();
  await vars.getByRole("button", { name: "JSON", exact: true }).click();
  await expect(vars.getByLabel("Vars, as JSON")).toHaveValue(/"person": "\{\{input\.name\}\}"/);
  await vars.getByLabel("Vars, as JSON").fill(`{"a": 1}`);
  await vars.getByRole("button", { name: "Form", exact: true }).click();
  await expect(vars.getByLabel("a", { exact: true })).toHaveValue("1");
  await saved(page);
  expect((await nodeOf(server, id))?.config.vars).toEqual({ a: 1 });
});

test("an agent's handoffs are forms, with the fields of the language", async ({ page, server }) => {
  const id = await server.workflow("Desk", one({ id: "desk", type: "agent", config: { provider: "openai", model: "gpt-4o-mini", instructions: "Help.", prompt: "{{input.x}}", maxSteps: 3, handoffs: { billing: { instructions: "Know bills.", description: "Bills" } } } }));
  await page.goto(`${server.url}/workflows/${id}/edit?node=desk`);
  await expect(page.getByRole("heading", { level: 2, name: "desk" })).toBeVisible();
  const handoffs = group(page, "Handoffs");
  await expect(group(page, "billing").getByLabel("Instructions", { exact: true })).toHaveValue("Know bills.");
  await add(page, handoffs, "Add an agent", "Name of the agent", "refunds");
  await group(page, "refunds").getByLabel(/^Instructions/).fill("Pay back.");
  await saved(page);
  expect(((await nodeOf(server, id))?.config.handoffs as Record<string, { instructions: string }>).refunds?.instructions).toBe("Pay back.");
});

test("a loop's state and its changes are forms; inputs are, too", async ({ page, server }) => {
  const body = { entry: "work", nodes: [tool("work")], edges: [] };
  const id = await server.workflow("Loop", one({ id: "again", type: "loop", config: { maxIterations: 3, state: { tries: 0 }, update: { tries: "{{iteration.index}}" }, body } }));
  await page.goto(`${server.url}/workflows/${id}/edit?node=again`);
  await expect(group(page, "State").getByLabel("tries", { exact: true })).toHaveValue("0");
  await expect(group(page, "Update").getByLabel("tries", { exact: true })).toHaveValue("{{iteration.index}}");
  await add(page, group(page, "Values by name"), "Add an input", "Name of the input", "text");
  await group(page, "Values by name").getByLabel("text", { exact: true }).fill("{{input.");
  await expect(page.getByRole("option").first()).toBeVisible();
  await group(page, "Values by name").getByLabel("text", { exact: true }).fill("hello");
  await saved(page);
  expect((await nodeOf(server, id))?.inputs).toEqual({ text: "hello" });
});

test("what a tool says of its output is offered", async ({ page, server }) => {
  const document = { version: "1", entry: "get", nodes: [{ id: "get", type: "tool", config: { tool: "http", url: "{{input.url}}" } }, tool("use", { inputs: { text: "" } })], edges: [{ from: "get", to: "use" }] };
  const id = await server.workflow("Offers", document);
  await page.goto(`${server.url}/workflows/${id}/edit?node=use`);
  const text = group(page, "Values by name").getByLabel("text", { exact: true });
  await text.pressSequentially("{{node.get.output.st");
  await expect(page.getByRole("option", { name: /node\.get\.output\.status/ })).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(text).toHaveValue("{{node.get.output.status}}");
});

test("numbers keep every digit, whatever is changed on the canvas", async ({ page, server }) => {
  const graph = `{"version":"1","entry":"a","nodes":[{"id":"a","type":"tool","config":{"tool":"echo"},"inputs":{"order":9007199254740993,"rate":1.0,"big":123456789012345678901234567890}}],"edges":[]}`;
  const id = await server.workflow("Digits", graph);
  await page.goto(`${server.url}/workflows/${id}/edit?node=a`);
  const inputs = group(page, "Values by name");
  await expect(inputs.getByLabel("order", { exact: true })).toHaveValue("9007199254740993");
  await expect(inputs.getByLabel("rate", { exact: true })).toHaveValue("1.0");
  await details(page).getByLabel("Name", { exact: true }).fill("Changed");
  await inputs.getByLabel("rate", { exact: true }).fill("9007199254740995");
  await saved(page);
  const text = await (await fetch(`${server.url}/api/workflows/${id}/draft`)).text();
  for (const kept of ["9007199254740993", "9007199254740995", "123456789012345678901234567890", `"Changed"`]) expect(text).toContain(kept);
  await page.getByRole("tab", { name: "JSON" }).click();
  await expect(page.getByRole("textbox", { name: "Workflow as JSON" })).toContainText("123456789012345678901234567890");
});

test("a workflow without a draft opens without an error in the browser's console; one with a draft opens with it", async ({ page, server }) => {
  const errors: string[] = [];
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  const id = await server.workflow("Quiet", one(tool("a")));
  await page.goto(`${server.url}/workflows/${id}/edit?node=a`);
  await expect(page.getByText("No problems").first()).toBeVisible();
  await details(page).getByLabel("Name", { exact: true }).fill("Drafted");
  await saved(page);
  await page.reload();
  await expect(details(page).getByLabel("Name", { exact: true })).toHaveValue("Drafted");
  expect(errors).toEqual([]);
});
