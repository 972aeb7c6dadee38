import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, test, type Server } from "./server";
import { sendTrace } from "./spans";
import { agent, failing, greeting, pipeline, refund, retryAndFallback, wide } from "./workflows";

interface View {
  name: string;
  path: (server: Server) => Promise<string>;
  ready: (page: Page) => Promise<void>;
}
const row = (page: Page) => expect(page.getByRole("row").nth(1)).toBeVisible();
const failed = async (server: Server) => `/runs/${await server.run(await server.workflow("Accessible failure", failing), {}, 20)}`;
const fine = async (server: Server) => `/runs/${await server.run(await server.workflow("Accessible", retryAndFallback), {}, 20)}`;
const step = (name: string) => (page: Page) => expect(page.getByRole("region", { name, exact: true })).toBeVisible();

const drawn = (page: Page) => expect(page.getByRole("group", { name: "Canvas" }).locator("[data-step]").first()).toBeVisible();
async function broken(page: Page) {
  await page.getByLabel("Prompt", { exact: true }).fill("{{node.nobody.output}} {{");
  await page.getByRole("region", { name: "Problems" }).getByRole("button", { name: /problem/ }).click();
  await expect(page.getByRole("region", { name: "Problems" }).getByRole("listitem").first()).toBeVisible();
}
async function connecting(page: Page) {
  await drawn(page);
  await page.getByRole("button", { name: "Connect to…" }).click();
  await expect(page.getByRole("dialog").getByRole("option")).toContainText("already");
}

const asked = async (server: Server) => {
  const run = await server.run(await server.workflow("Accessible question", refund), { order: "A-1" });
  await expect.poll(async () => (await server.get<{ approvals: unknown[] }>(`/api/approvals?run_id=${run}`)).approvals.length).toBe(1);
  return { run, id: encodeURIComponent(`${run}:ask`) };
};
const question = async (server: Server) => `/approvals?id=${(await asked(server)).id}`;
const decided = async (server: Server) => server.post(`/api/approvals/${(await asked(server)).id}`, { decision: "reject", reason: "Too late." });
const compared = async (server: Server) => {
  const id = await server.workflow("Accessible pair", pipeline);
  return `/compare?a=${await server.run(id, { topic: "tea" }, 20)}&b=${await server.run(id, { topic: "milk" }, 20)}`;
};

const views: View[] = [
  { name: "runs", path: async (server) => (await failed(server), "/runs"), ready: row },
  { name: "no runs", path: async () => "/runs?q=nothing-has-this-text", ready: (page) => expect(page.getByText(/No run matches|Nothing has run/)).toBeVisible() },
  { name: "workflows", path: async (server) => (await server.workflow("Listed", greeting), "/workflows"), ready: row },
  { name: "run dialog", path: async (server) => `/workflows?run=${await server.workflow("Dialog", greeting)}`, ready: (page) => expect(page.getByLabel("name")).toBeVisible() },
  { name: "settings", path: async () => "/settings", ready: (page) => expect(page.getByText("Prices").first()).toBeVisible() },
  { name: "failed run", path: failed, ready: step("Messages") },
  { name: "error tab", path: async (server) => `${await failed(server)}?step=draft_reply&tab=error`, ready: step("Error") },
  { name: "cost tab", path: async (server) => `${await fine(server)}?step=answer&tab=cost`, ready: step("Tokens & cost") },
  { name: "timing tab", path: async (server) => `${await fine(server)}?step=answer&tab=timing`, ready: step("Timing") },
  { name: "config tab", path: async (server) => `${await fine(server)}?step=answer&tab=config`, ready: step("Config") },
  { name: "raw tab", path: async (server) => `${await fine(server)}?step=answer&tab=raw`, ready: step("Raw") },
  { name: "output tab", path: async (server) => `${await fine(server)}?step=answer&tab=output`, ready: step("Output") },
  { name: "tree", path: async (server) => `${await fine(server)}?view=tree`, ready: (page) => expect(page.getByRole("treeitem").first()).toBeVisible() },
  { name: "graph", path: async (server) => `${await fine(server)}?view=graph`, ready: (page) => expect(page.locator(".react-flow__node").first()).toBeVisible() },
  { name: "log", path: async (server) => `${await fine(server)}?view=log`, ready: (page) => expect(page.getByText("run.started")).toBeVisible() },
  {
    name: "new workflow",
    path: async () => "/workflows",
    ready: async (page) => {
      await page.getByRole("button", { name: "New workflow" }).click();
      await expect(page.getByLabel("Start from")).toBeVisible();
    },
  },
  {
    name: "palette",
    path: async () => "/runs",
    ready: async (page) => {
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
      await page.keyboard.press("Control+k");
      await expect(page.getByRole("dialog").getByRole("option").first()).toBeVisible();
    },
  },
  {
    name: "keyboard help",
    path: async () => "/runs",
    ready: async (page) => {
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
      await page.keyboard.press("?");
      await expect(page.getByRole("dialog", { name: "Keyboard" })).toBeVisible();
    },
  },
  {
    name: "tested provider",
    path: async () => "/settings",
    ready: async (page) => {
      await page.getByRole("button", { name: "Test anthropic" }).click();
      await expect(page.getByText(/answered: /)).toBeVisible();
    },
  },
  {
    name: "settings with secrets and a new key",
    path: async () => "/settings",
    ready: async (page) => {
      const secrets = page.getByRole("region", { name: "Secrets" });
      await secrets.getByLabel("Name").fill("OPENAI_API_KEY");
      await secrets.getByLabel("Value", { exact: true }).fill("sk-of-axe-0123456789");
      await secrets.getByRole("button", { name: /(Set|Replace) secret/ }).click();
      await expect(secrets.getByRole("listitem").filter({ hasText: "for provider openai" })).toBeVisible();
      const section = page.getByRole("region", { name: "Access keys" });
      await section.getByLabel("Name of the key").fill(`axe ${Math.random()}`);
      await section.getByRole("button", { name: "Make key" }).click();
      await expect(section.getByRole("button", { name: "Copy key" })).toBeVisible();
    },
  },
  {
    name: "deleting a secret",
    path: async () => "/settings",
    ready: async (page) => {
      const secrets = page.getByRole("region", { name: "Secrets" });
      await secrets.getByLabel("Name").fill("axe");
      await secrets.getByLabel("Value", { exact: true }).fill("value of axe");
      await secrets.getByRole("button", { name: /(Set|Replace) secret/ }).click();
      await secrets.getByRole("button", { name: "Delete axe" }).click();
      await expect(page.getByRole("dialog", { name: "Delete axe?" })).toBeVisible();
    },
  },
  { name: "editor", path: async (server) => `/workflows/${await server.workflow("Edited", retryAndFallback)}/edit`, ready: drawn },
  { name: "editor, a step", path: async (server) => `/workflows/${await server.workflow("Edited", retryAndFallback)}/edit?node=answer`, ready: async (page) => (await drawn(page), expect(page.getByLabel("Prompt", { exact: true })).toBeVisible()) },
  {
    name: "editor, entries",
    path: async (server) => `/workflows/${await server.workflow("Entries", { version: "1", entry: "put", nodes: [{ id: "put", type: "set", config: { vars: { who: "{{input.name}}", count: 0 } } }], edges: [] })}/edit?node=put`,
    ready: async (page) => {
      await expect(page.getByLabel("who", { exact: true })).toBeVisible();
      await page.getByRole("button", { name: "Add a variable" }).first().click();
      await page.getByRole("button", { name: "Rename count" }).click();
    },
  },
  {
    name: "editor, a part of many steps",
    path: async (server) => `/workflows/${await server.workflow("Many", { ...wide(2_100), limits: { maxNodes: 3_000 } })}/edit`,
    ready: async (page) => (await drawn(page), expect(page.getByText(/steps are drawn/)).toBeVisible()),
  },
  { name: "editor, problems", path: async (server) => `/workflows/${await server.workflow("Edited", greeting)}/edit?node=greet`, ready: broken },
  { name: "editor, JSON", path: async (server) => `/workflows/${await server.workflow("Edited", greeting)}/edit?pane=json`, ready: (page) => expect(page.getByRole("textbox", { name: "Workflow as JSON" })).toContainText("greet") },
  { name: "editor, versions", path: async (server) => `/workflows/${await server.workflow("Edited", greeting)}/edit?pane=versions`, ready: (page) => expect(page.getByText("Version 1")).toBeVisible() },
  { name: "editor, connecting", path: async (server) => `/workflows/${await server.workflow("Edited", failing)}/edit?node=read`, ready: connecting },
  { name: "approvals", path: question, ready: (page) => expect(page.getByText("If you approve")).toBeVisible() },
  {
    name: "an edited approval",
    path: question,
    ready: async (page) => {
      await page.getByRole("button", { name: "Edit and approve" }).click();
      await page.getByLabel("Edited payload, as JSON").fill(`{ "amount": 1 }`);
      await expect(page.getByRole("region", { name: "What you changed" })).toBeVisible();
    },
  },
  { name: "decided approvals", path: async (server) => (await decided(server), "/approvals?view=decided"), ready: (page) => expect(page.getByText("What was asked about")).toBeVisible() },
  { name: "a run that asks", path: async (server) => `/runs/${(await asked(server)).run}?step=ask`, ready: (page) => expect(page.getByRole("link", { name: "Answer" }).first()).toBeVisible() },
  { name: "compare", path: compared, ready: (page) => expect(page.getByRole("region", { name: "Differences" })).toBeVisible() },
  { name: "nothing to compare", path: async () => "/compare", ready: (page) => expect(page.getByText("Choose two runs")).toBeVisible() },
  { name: "time travel", path: async (server) => `${await fine(server)}?at=3`, ready: (page) => expect(page.getByRole("slider")).toBeVisible() },
  {
    name: "replay dialog",
    path: async (server) => `${await fine(server)}?step=answer`,
    ready: async (page) => {
      await page.getByRole("button", { name: "Replay from here" }).click();
      await expect(page.getByText(/runs again/).first()).toBeVisible();
    },
  },
  { name: "agent", path: async (server) => `/runs/${await server.run(await server.workflow("Agent", agent(4)), { order: "1" }, 20)}?view=tree&step=support`, ready: (page) => expect(page.getByText(/turns of at most/)).toBeVisible() },
  { name: "traces", path: async (server) => (await sendTrace(server, { session: "axe", user: "ann" }), "/traces?user=ann&session=axe"), ready: row },
  {
    name: "all filters of traces",
    path: async (server) => (await sendTrace(server, { session: "axe", user: "ann", model: "axe-unpriced" }), "/traces?user=ann&status=failed&seconds_from=0.1&sort=-cost"),
    ready: async (page) => (await row(page), await page.getByRole("button", { name: "More filters" }).click(), expect(page.getByLabel("Metadata key")).toBeVisible()),
  },
  {
    name: "models without a price",
    path: async (server) => (await sendTrace(server, { model: "axe-unpriced" }), "/traces"),
    ready: async (page) => (await page.getByRole("button", { name: /without a price/ }).click(), expect(page.getByRole("dialog")).toBeVisible()),
  },
  { name: "sessions", path: async (server) => (await sendTrace(server, { session: "axe-session", user: "ann" }), "/sessions?q=axe&sort=-cost"), ready: row },
  { name: "no sessions", path: async () => "/sessions?q=nobody-has-this-name", ready: (page) => expect(page.getByText("No session matches")).toBeVisible() },
  {
    name: "replay of a span",
    path: async (server) => (({ trace, first }) => `/traces/${trace}?span=${first}`)(await sendTrace(server)),
    ready: async (page) => (await page.getByRole("button", { name: "Replay" }).click(), expect(page.getByLabel("System message")).toBeVisible()),
  },
  {
    name: "a span compared",
    path: async (server) => {
      const { trace, first } = await sendTrace(server);
      const { runId } = await server.post<{ runId: string }>(`/api/traces/${trace}/spans/${first}/replay?wait=20`, { model: "gpt-4o" });
      return `/compare?a=span:${trace}:${first}&b=${runId}`;
    },
    ready: (page) => expect(page.getByRole("region", { name: "Differences" })).toBeVisible(),
  },
  { name: "no traces", path: async () => "/traces?user=nobody-has-this-name", ready: (page) => expect(page.getByText("No trace matches")).toBeVisible() },
  { name: "a failed trace", path: async (server) => `/traces/${(await sendTrace(server)).trace}`, ready: (page) => expect(page.getByRole("article", { name: "User" })).toBeVisible() },
  { name: "the tree of a trace", path: async (server) => `/traces/${(await sendTrace(server, { failing: false })).trace}?view=tree`, ready: (page) => expect(page.getByRole("treeitem").first()).toBeVisible() },
  { name: "attributes of a span", path: async (server) => (({ trace, first }) => `/traces/${trace}?span=${first}&tab=attributes`)(await sendTrace(server)), ready: step("Attributes") },
  { name: "a session", path: async (server) => (await sendTrace(server, { session: "axe-session" }), "/sessions/axe-session"), ready: row },
  { name: "not found", path: async () => "/nowhere", ready: (page) => expect(page.getByText("There is no such page")).toBeVisible() },
];

for (const theme of ["light", "dark"] as const) {
  for (const { name, path, ready } of views) {
    test(`axe finds nothing: ${name}, ${theme}`, async ({ page, server }) => {
      await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
      await page.goto(`${server.url}${await path(server)}`);
      await ready(page);
      await expect(page.locator("html")).toHaveAttribute("data-theme", theme);
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map(({ id, nodes }) => ({ id, where: nodes.slice(0, 3).map((node) => node.html) }))).toEqual([]);
    });
  }
}

/** Nothing stands out at the side. */
const fits = (page: Page) => expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);

for (const path of ["/runs", "/traces", "/sessions", "/workflows", "/approvals", "/settings"]) {
  test(`${path} fits a phone`, async ({ page, server }) => {
    await failed(server);
    await page.setViewportSize({ width: 360, height: 700 });
    await page.goto(`${server.url}${path}`);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await fits(page);
  });
}

test("a run and its step fit a phone", async ({ page, server }) => {
  const path = await failed(server);
  await page.setViewportSize({ width: 360, height: 700 });
  await page.goto(`${server.url}${path}`);
  await expect(page.getByText("Write a reply to: Ticket: my invoice is wrong.")).toBeVisible();
  await fits(page);
  await page.getByRole("button", { name: /Close the step/ }).click();
  await expect(page.getByRole("button", { name: /Read the ticket/ })).toBeVisible();
  await fits(page);
});

test("a question and a comparison fit a phone", async ({ page, server }) => {
  const paths = [await question(server), await compared(server)];
  await page.setViewportSize({ width: 360, height: 700 });
  for (const path of paths) {
    await page.goto(`${server.url}${path}`);
    await expect(page.getByText(/If you approve|B over A/).first()).toBeVisible();
    await fits(page);
  }
});

test("all filters, a replay and its comparison fit a phone", async ({ page, server }) => {
  const { trace, first } = await sendTrace(server, { user: "phone", session: "p".repeat(70) });
  await page.setViewportSize({ width: 360, height: 700 });
  await page.goto(`${server.url}/traces?user=phone&session=${"p".repeat(70)}&cost_to=1`);
  await page.getByRole("button", { name: "More filters" }).click();
  await expect(page.getByLabel("Metadata key")).toBeVisible();
  await fits(page);
  await page.goto(`${server.url}/sessions`);
  await expect(page.getByRole("row").nth(1)).toBeVisible();
  await fits(page);
  await page.goto(`${server.url}/traces/${trace}?span=${first}`);
  await page.getByRole("button", { name: "Replay" }).click();
  await expect(page.getByLabel("System message")).toBeVisible();
  await fits(page);
  await page.getByRole("button", { name: "Start and compare" }).click();
  await expect(page.getByText("B over A").first()).toBeVisible();
  await fits(page);
});

test("a run of a session with a long name fits a phone", async ({ page, server }) => {
  const session = "r".repeat(200);
  const { runId } = await server.post<{ runId: string }>("/api/runs?wait=20", { graph_json: failing, session_id: session });
  await page.setViewportSize({ width: 360, height: 700 });
  for (const path of [`/runs/${runId}?step=`, `/runs?session=${session}`]) {
    await page.goto(`${server.url}${path}`);
    const shown = page.getByText(session, { exact: true });
    await expect(shown).toBeVisible();
    await fits(page);
    // In one line.
    await expect.poll(async () => (await shown.boundingBox())?.height ?? 0).toBeLessThan(28);
  }
});

test("the models without a price fit a phone", async ({ page, server }) => {
  await sendTrace(server, { model: `phone-${"m".repeat(80)}` });
  await page.setViewportSize({ width: 360, height: 700 });
  await page.goto(`${server.url}/traces`);
  await page.getByRole("button", { name: /without a price/ }).click();
  const list = page.getByRole("dialog").getByRole("region", { name: "Models without a price" });
  await expect(list.getByRole("row").nth(1)).toBeVisible();
  await expect.poll(() => list.evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0);
});

test("a trace and its session fit a phone", async ({ page, server }) => {
  const { trace } = await sendTrace(server, { name: "A-name-without-any-gap-that-goes-on-and-on-for-longer-than-a-phone", session: "s".repeat(80), user: "u".repeat(80) });
  await page.setViewportSize({ width: 360, height: 700 });
  await page.goto(`${server.url}/traces/${trace}`);
  await expect(page.getByRole("article", { name: "User" })).toBeVisible();
  await fits(page);
  // The pane covers the rows, so it has the focus; closed, it gives the focus to its row.
  await expect(page.getByRole("complementary")).toBeFocused();
  await page.getByRole("button", { name: /Close the span/ }).click();
  await expect(page.getByRole("button", { name: /^chat gpt-4o-mini, LLM/ })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("complementary")).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("button", { name: /^chat gpt-4o-mini, LLM/ })).toBeFocused();
  await fits(page);
  await page.goto(`${server.url}/sessions/${"s".repeat(80)}`);
  await expect(page.getByRole("row").nth(1)).toBeVisible();
  await fits(page);
});
