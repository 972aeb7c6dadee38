import AxeBuilder from "@axe-core/playwright";
import { expect, Server, test } from "./server";
import { failing } from "./workflows";

const TOKEN = "a-token-for-the-tests-0123456789";

test("a server with a token asks for it once", async ({ page }) => {
  const server = await Server.start(["--token", TOKEN]);
  try {
    await page.goto(`${server.url}/workflows`);
    await expect(page.getByRole("heading", { name: "This server needs its token" })).toBeVisible();
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await expect(page.locator("html")).toHaveAttribute("data-theme", colorScheme);
      expect((await new AxeBuilder({ page }).analyze()).violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
    }
    await page.getByLabel("Token").fill("not-the-token-of-this-server");
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByText("This is not the token of this server.")).toBeVisible();
    await page.getByLabel("Token").fill(TOKEN);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("button", { name: "New workflow" })).toBeVisible();
    await page.reload();
    await expect(page.getByRole("row").nth(1)).toBeVisible();
    await page.goto(`${server.url}/settings`);
    await page.getByRole("button", { name: "Sign out" }).click();
    await expect(page.getByRole("heading", { name: "This server needs its token" })).toBeVisible();
  } finally {
    await server.stop();
  }
});

test.describe("in another time zone", () => {
  test.use({ timezoneId: "Pacific/Kiritimati" });

  test("times are the reader's own, and durations the same", async ({ page, server }) => {
    const run = await server.run(await server.workflow("Zones", failing), {}, 20);
    await page.goto(`${server.url}/runs/${run}?step=draft_reply&tab=timing`);
    const header = page.getByRole("main").locator("header").first();
    await expect(header).toContainText(/Started(just now|\d+ s ago)/);
    await expect(header.locator("time")).toHaveAttribute("title", /GMT\+14/);
    await expect(page.getByText(/GMT\+14/).first()).toBeVisible();
  });
});

test("one workflow in two tabs: what one changes the other sees", async ({ context, server }) => {
  const id = await server.workflow("Shared", failing);
  const [one, two] = [await context.newPage(), await context.newPage()];
  for (const page of [one, two]) await page.goto(`${server.url}/runs?workflow=${id}`);
  await expect(two.getByText("No run matches")).toBeVisible();
  await server.run(id);
  for (const page of [one, two]) await expect(page.getByRole("link", { name: /draft_reply/ })).toBeVisible();
});
