import { expect, Server, test } from "./server";
import { failing, greeting, streaming } from "./workflows";

test("a newcomer sees why the demo failed, and runs it again without the fault, in six clicks", async ({ page }) => {
  const server = await Server.start();
  let clicks = 0;
  const click = async (name: string | RegExp, role: "button" | "menuitem" = "button") => {
    await page.getByRole(role, { name }).first().click();
    clicks += 1;
  };
  try {
    await server.post("/api/simulate/fail-next", { status: 500, times: 40 });
    await page.goto(server.url);
    await click("Run the demo");
    const header = page.getByRole("main").locator("header").first();
    await expect(header).toContainText("Failed");
    // The failing step opened by itself, with its error and its prompt.
    const pane = page.getByRole("complementary", { name: /^Step / });
    await expect(pane.getByText(/HTTP 500/).first()).toBeVisible();
    await expect(pane.getByRole("article", { name: "User" })).toBeVisible();
    await click("Details");
    await expect(pane.getByRole("heading", { name: "Attempt by attempt" })).toBeVisible();
    const left = (await server.post<{ waiting: number }>("/api/simulate/fail-next", { status: 500 })).waiting;
    // The fault passes: what is left of it is used up by calls that nobody watches.
    for (let call = 0; call < left; call++) await server.post("/api/providers/openai/test", {});
    await click("Run again");
    await expect(header).toContainText("Succeeded");
    expect(clicks).toBeLessThanOrEqual(6);
  } finally {
    await server.stop();
  }
});

test("answers are drawn as Markdown, and shown as they are on demand", async ({ page, server }) => {
  const document = structuredClone(greeting) as unknown as { nodes: { config: { simulate: object } }[] };
  if (document.nodes[0]) document.nodes[0].config.simulate = { answer: "## Plan\n\n- **one**\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n![pixel](https://example.com/p.png) [bad](javascript:alert(1))", latencyMs: 5 };
  const run = await server.run(await server.workflow("Markdown", document), { name: "Ada", age: 1 }, 20);
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.goto(`${server.url}/runs/${run}?step=greet&tab=output`);
  const output = page.getByRole("region", { name: "Output" });
  await expect(output.getByRole("heading", { name: "Plan" })).toBeVisible();
  await expect(output.getByRole("listitem")).toHaveCount(2);
  await expect(output.getByRole("cell", { name: "2" })).toBeVisible();
  await expect(output.getByRole("link", { name: "[image: pixel]" })).toHaveAttribute("rel", /noopener/);
  await expect(output.getByRole("link")).toHaveCount(1);
  expect(asked.filter((url) => !url.startsWith(server.url))).toEqual([]);
  await page.getByRole("button", { name: "As text" }).click();
  await expect(output).toContainText("- **one**");
  await page.getByRole("button", { name: "Raw JSON" }).click();
  await expect(output).toContainText('"## Plan\\n\\n');
});

test("a document that was never saved has its graph and its configuration", async ({ page, server }) => {
  const { runId } = await server.post<{ runId: string }>("/api/runs?wait=20", { graph_json: failing });
  await page.goto(`${server.url}/runs/${runId}?view=graph`);
  await expect(page.locator(".react-flow__node")).toHaveCount(2);
  await expect(page.locator(".react-flow__node[data-id=draft_reply]")).toContainText("×3");
  await page.goto(`${server.url}/runs/${runId}?step=draft_reply&tab=config`);
  await expect(page.getByRole("region", { name: "Config" })).toContainText('"maxAttempts": 3');
});

test("a provider is tested with one real call, and says in a sentence what is wrong", async ({ page }) => {
  const server = await Server.start();
  try {
    await page.goto(`${server.url}/settings`);
    await page.getByRole("button", { name: "Test openai" }).click();
    await expect(page.getByText(/answered: .* tokens, simulated, so nothing was spent\./)).toBeVisible();
    await server.post("/api/simulate/fail-next", { status: 401, provider: "anthropic" });
    await page.getByLabel("Model of anthropic to test").fill("claude-haiku-4-5");
    await page.getByRole("button", { name: "Test anthropic" }).click();
    await expect(page.getByText(/^claude-haiku-4-5: .*HTTP 401/)).toBeVisible();
    await expect(page.getByText("the server and its store answer")).toBeVisible();
  } finally {
    await server.stop();
  }
});

test("every template, and a copy of a workflow, makes one that can run", async ({ page, server }) => {
  await page.goto(`${server.url}/workflows`);
  await page.getByRole("button", { name: "New workflow" }).click();
  await expect(page.getByLabel("Start from")).toBeVisible();
  const options = await page.getByLabel("Start from").locator("optgroup[label=Templates] option").allInnerTexts();
  expect(options.length).toBeGreaterThanOrEqual(4);
  for (const template of [...options, "CSV → Analysis → Write-up"]) {
    await page.goto(`${server.url}/workflows`);
    await page.getByRole("button", { name: "New workflow" }).click();
    await page.getByLabel("Name", { exact: true }).fill(`From ${template}`);
    await page.getByLabel("Start from").selectOption({ label: template });
    await page.getByRole("button", { name: "Create" }).click();
    await expect(page).toHaveURL(/\/workflows\/[^/]+\/edit/);
    const id = new URL(page.url()).pathname.split("/")[2] ?? "";
    // A page of the web is not there in a test.
    if (template.startsWith("Read a page")) continue;
    const { run } = await server.post<{ run: { status: string; error: unknown } }>(`/api/workflows/${id}/runs?wait=30`, { input_vars: { topic: "tea", message: "It broke.", idea: "Sell tea." } });
    expect(run.status, `${template}: ${JSON.stringify(run.error)}`).toBe("succeeded");
  }
});

test("nothing moves for who asked for reduced motion", async ({ page, server }) => {
  const run = await server.run(await server.workflow("Still", streaming(120)));
  await page.emulateMedia({ reducedMotion: "no-preference" });
  await page.goto(`${server.url}/runs/${run}`);
  const moving = () => page.evaluate(() => document.getAnimations().filter((animation) => animation.playState === "running").length);
  await expect.poll(moving).toBeGreaterThan(0);
  await page.emulateMedia({ reducedMotion: "reduce" });
  await expect.poll(moving).toBe(0);
  await page.goto(`${server.url}/runs/${run}?view=graph`);
  await expect(page.locator(".react-flow__node").first()).toBeVisible();
  await expect.poll(moving).toBe(0);
  await server.post(`/api/runs/${run}/cancel`);
});

test("no page hides something beyond the edge of a phone", async ({ page, server }) => {
  const run = await server.run(await server.workflow("A workflow with a rather long name that has to be cut", failing), {}, 20);
  await page.setViewportSize({ width: 360, height: 700 });
  for (const path of ["/runs", "/workflows", "/settings", `/runs/${run}?step=`, `/runs/${run}`, `/runs/${run}?tab=timing`, `/runs/${run}?step=&view=tree`, `/runs/${run}?step=&view=log`]) {
    await page.goto(`${server.url}${path}`);
    await expect(page.getByRole("main")).toContainText(/\w/);
    await page.waitForLoadState("networkidle");
    const beyond = () => page.evaluate(() => {
      const scrolls = (element: Element | null): boolean => element !== null && (/auto|scroll/.test(getComputedStyle(element).overflowX) && element.scrollWidth > element.clientWidth + 1 && element.getBoundingClientRect().right <= innerWidth + 1 && element.matches("[role=tablist], [role=region], table, pre, [role=group]") || scrolls(element.parentElement));
      return [...document.querySelectorAll("main *")]
        .filter((element) => element.getBoundingClientRect().width > 0 && element.getBoundingClientRect().right > innerWidth + 1 && !element.closest(".sr-only") && !scrolls(element))
        .filter((element) => {
          // What is cut with an ellipsis is meant to be.
          for (let at: Element | null = element; at; at = at.parentElement) if (getComputedStyle(at).textOverflow === "ellipsis") return false;
          return true;
        })
        .map((element) => element.outerHTML.slice(0, 120))
        .slice(0, 5);
    });
    await expect.poll(beyond, path).toEqual([]);
  }
});
