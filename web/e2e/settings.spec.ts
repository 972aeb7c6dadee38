import { readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { expect, Server, test } from "./server";
import { greeting } from "./workflows";

const TOKEN = "the-token-of-this-test";

async function signIn(page: import("@playwright/test").Page, server: Server) {
  await page.goto(`${server.url}/settings`);
  await page.getByLabel("Token").fill(TOKEN);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { name: "Access keys" })).toBeVisible();
}

test("a secret goes in, is listed without its value, and goes", async ({ page }) => {
  const server = await Server.start();
  try {
    const answers: string[] = [];
    page.on("response", async (response) => {
      if (response.url().includes("/api/")) answers.push(await response.text().catch(() => ""));
    });
    await page.goto(`${server.url}/settings`);
    const secrets = page.getByRole("region", { name: "Secrets" });
    const form = secrets.getByRole("form", { name: "Set a secret" });
    await expect(secrets.getByText("No secret is set.")).toBeVisible();

    // What the server would refuse is said while it is typed.
    await form.getByLabel("Name").fill("a/b");
    await expect(form.getByText("Letters, digits, “_”, “-” and “.” only.")).toBeVisible();
    await expect(form.getByRole("button")).toBeDisabled();

    await form.getByLabel("Name").fill("crm-key");
    await expect(form.getByText("FLOWTRACE_SECRET_CRM_KEY")).toBeVisible();
    // By keyboard, over two lines.
    await page.keyboard.press("Tab");
    await page.keyboard.type("s3cret-of-the-crm");
    await page.keyboard.press("Enter");
    await page.keyboard.type("second line");
    await form.getByRole("button", { name: "Set secret" }).click();
    const line = secrets.getByRole("listitem").filter({ hasText: "crm-key" });
    await expect(line).toContainText("for workflows, set just now");
    await expect(form.getByLabel("Value")).toHaveValue("");
    await page.reload();
    await expect(line).toBeVisible();
    expect(await page.content()).not.toContain("s3cret-of-the-crm");
    expect(answers.join("\n")).not.toContain("s3cret-of-the-crm");
    for (const file of await readdir(server.data, { withFileTypes: true })) {
      if (file.isFile()) expect((await readFile(join(server.data, file.name))).includes("s3cret-of-the-crm"), file.name).toBe(false);
    }

    await line.getByRole("button", { name: "Replace crm-key" }).click();
    await expect(form.getByLabel("Value")).toBeFocused();
    await page.keyboard.type("another");
    await form.getByRole("button", { name: "Replace secret" }).click();
    await expect(page.getByText("crm-key is replaced.")).toBeVisible();

    await line.getByRole("button", { name: "Delete crm-key" }).click();
    await page.getByRole("dialog", { name: "Delete crm-key?" }).getByRole("button", { name: "Delete secret" }).click();
    await expect(secrets.getByText("No secret is set.")).toBeVisible();
  } finally {
    await server.stop();
  }
});

test("the key file is gone: the page says so, and everything else works", async ({ page }) => {
  const server = await Server.start();
  try {
    await page.goto(`${server.url}/settings`);
    const secrets = page.getByRole("region", { name: "Secrets" });
    await secrets.getByLabel("Name").fill("OPENAI_API_KEY");
    await expect(secrets.getByText("The key of openai, and of nothing else: no workflow can use it.")).toBeVisible();
    await secrets.getByLabel("Value", { exact: true }).fill("sk-0123456789");
    await secrets.getByRole("button", { name: "Set secret" }).click();
    await expect(secrets.getByRole("listitem")).toContainText("for provider openai");
    await rename(join(server.keys, "secret.key"), join(server.keys, "aside"));
    await page.reload();
    await expect(secrets.getByRole("alert")).toContainText("put it back");
    await expect(secrets.getByRole("listitem")).toContainText("cannot be opened");
    await expect(page.getByText("the server and its store answer")).toBeVisible();
    await rename(join(server.keys, "aside"), join(server.keys, "secret.key"));
    await secrets.getByRole("button", { name: "Retry" }).click();
    await expect(secrets.getByRole("alert")).toHaveCount(0);
    await expect(secrets.getByRole("listitem")).not.toContainText("cannot be opened");
  } finally {
    await server.stop();
  }
});

test("an access key is made, used and revoked", async ({ page }) => {
  const server = await Server.start(["--token", TOKEN]);
  const runs = (key: string) => fetch(`${server.url}/api/runs`, { headers: { authorization: `Bearer ${key}` } });
  try {
    await signIn(page, server);
    const section = page.getByRole("region", { name: "Access keys" });
    const make = async (name: string, may: string) => {
      await section.getByLabel("Name of the key").fill(name);
      await section.getByLabel("It may").selectOption(may);
      await section.getByRole("button", { name: "Make key" }).click();
      const key = await section.getByRole("group", { name: `The key ${name}` }).locator("code").first().textContent();
      await section.getByRole("button", { name: "Done" }).click();
      return key ?? "";
    };
    const all = await make("The build", "do everything");
    const ingest = await make("An SDK", "only send spans and scores");
    expect(all).toMatch(/^ft_[0-9a-f]{64}$/);
    await expect(section.getByText(all)).toHaveCount(0);
    expect((await runs(all)).status).toBe(200);
    const refused = await runs(ingest);
    expect(refused.status).toBe(403);
    expect(((await refused.json()) as { detail: string }).detail).toContain("may only send spans and scores");

    await page.reload();
    const line = section.getByRole("listitem").filter({ hasText: "The build" });
    await expect(line).toContainText(/last used (just now|\d+ s ago)/);
    expect(await page.content()).not.toContain(all);
    // The same name again is refused, with a sentence at the field.
    await section.getByLabel("Name of the key").fill("The build");
    await section.getByRole("button", { name: "Make key" }).click();
    await expect(section.getByText("Another access key has this name")).toBeVisible();

    await line.getByRole("button", { name: "Revoke The build" }).click();
    const dialog = page.getByRole("dialog", { name: "Revoke The build?" });
    await expect(dialog).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(dialog).toHaveCount(0);
    expect((await runs(all)).status).toBe(200);
    await line.getByRole("button", { name: "Revoke The build" }).click();
    await dialog.getByRole("button", { name: "Revoke key" }).click();
    await expect(line).toHaveCount(0);
    expect((await runs(all)).status).toBe(401);
  } finally {
    await server.stop();
  }
});

test("without a token the page says what keys are for", async ({ page, server }) => {
  await page.goto(`${server.url}/settings`);
  await expect(page.getByRole("region", { name: "Access keys" })).toContainText("asks nobody for a key");
});

test("how long traces are kept is changed, and what would go is asked about", async ({ page }) => {
  const server = await Server.start();
  try {
    const id = await server.workflow("Kept", greeting);
    await server.run(id, { name: "Ann" }, 20);
    await expect.poll(async () => (await server.get<{ traces: number }>("/api/retention")).traces).toBe(1);
    await page.goto(`${server.url}/settings`);
    const section = page.getByRole("region", { name: "Retention" });
    await expect(section).toContainText("190 days (the default)");
    await section.getByLabel("Keep traces for").fill("many");
    await expect(section.getByText("A whole number from 1 to 36500.")).toBeVisible();
    await expect(section.getByRole("button", { name: "Save" })).toBeDisabled();
    // Nothing is too old yet, so nobody is asked.
    await section.getByLabel("for ever").check();
    await section.getByRole("button", { name: "Save" }).click();
    await expect(section).toContainText("for ever (set here; the default is 190 days)");

    // What came this week came long ago.
    await server.kill();
    for (const name of await readdir(server.data)) {
      const match = /^(spans|text)-\d{8}(\.db.*)$/.exec(name);
      if (match) await rename(join(server.data, name), join(server.data, `${match[1]}-20260105${match[2]}`));
    }
    await server.restart();
    await page.reload();
    await expect(section).toContainText("1 trace,");
    await section.getByLabel("for ever").uncheck();
    await section.getByLabel("Keep traces for").fill("30");
    await section.getByRole("button", { name: "Save" }).click();
    const dialog = page.getByRole("dialog", { name: "Remove old traces?" });
    await expect(dialog).toContainText("1 trace that came before 12 Jan 2026 (UTC)");
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await expect(section).toContainText("for ever (set here");
    expect((await server.get<{ traces: number }>("/api/retention")).traces).toBe(1);
    await section.getByRole("button", { name: "Save" }).click();
    await dialog.getByRole("button", { name: "Remove them" }).click();
    await expect(section).toContainText("30 days (set here");
    await expect(section).toContainText("0 traces,");
    await section.getByRole("button", { name: "Back to the default, 190 days" }).click();
    await expect(section).toContainText("190 days (the default)");
  } finally {
    await server.stop();
  }
});
