import type { Page } from "@playwright/test";
import { expect, test, unique, type Server } from "./server";
import { refund, signalled } from "./workflows";

/** A run that waits for a person, and the address of its question. */
async function asking(server: Server, order: string) {
  const run = await server.run(await server.workflow("Refunds", refund), { order });
  await expect.poll(async () => (await server.get<{ approvals: unknown[] }>(`/api/approvals?run_id=${run}`)).approvals.length).toBe(1);
  return { run, question: `/approvals?id=${run}%3Aask` };
}
const ended = (page: Page) => expect(page.getByRole("main").locator("header").first().getByRole("status").first()).toContainText("Succeeded");

test("from the badge to the question, edited and approved, and the run goes on; a second tab is told", async ({ page, context, server }) => {
  const order = unique("A-17");
  const { run, question } = await asking(server, order);
  await page.goto(`${server.url}/runs`);
  // The badge says how many; other tests ask as well.
  await page.getByRole("link", { name: /Approvals/ }).click();
  await page.getByRole("list", { name: "Open" }).getByRole("button", { name: `Refund order ${order}?` }).click();
  const detail = page.getByRole("region", { name: "The question" });
  await expect(detail.getByRole("heading", { name: `Refund order ${order}?` })).toBeVisible();
  await expect(detail.getByText(/then it counts as rejected/)).toBeVisible();
  await expect(detail.getByText("Pay it out")).toBeVisible();
  await expect(detail.getByText("Say sorry")).toBeVisible();

  const other = await context.newPage();
  await other.goto(`${server.url}${question}`);
  await expect(other.getByRole("button", { name: "Approve", exact: true })).toBeVisible();
  // The other tab does not hear of it before it asks.
  await other.route("**/api/approvals?*", (route) => route.abort());

  await detail.getByRole("button", { name: "Edit and approve" }).click();
  const field = detail.getByLabel("Edited payload, as JSON");
  await field.fill(`{ "order": "${order}", "amount": `);
  await expect(detail.getByRole("button", { name: /^Approve/ })).toBeDisabled();
  await expect(field).toHaveAttribute("aria-invalid", "true");
  await field.fill(`{ "order": "${order}", "amount": 25, "currency": "EUR" }`);
  const diff = detail.getByRole("region", { name: "What you changed" });
  await expect(diff.locator("del")).toHaveText("40");
  await expect(diff.locator("ins")).toHaveText("25");
  await detail.getByRole("button", { name: "Approve with the edit" }).click();
  await expect(detail.getByText(/Approved.*from these pages/)).toBeVisible();
  await expect(detail.getByText("What was approved instead")).toBeVisible();
  await expect(detail.locator("ins")).toHaveText("25");

  await other.getByRole("button", { name: "Approve", exact: true }).click();
  await expect(other.getByRole("alert").filter({ hasText: "Already decided. This was approved by web at" })).toBeVisible();

  await detail.getByRole("link", { name: /step ask/ }).click();
  await ended(page);
  const { steps } = await server.get<{ steps: { step_id: string; output: unknown; status: string }[] }>(`/api/runs/${run}`);
  expect(steps.find((step) => step.step_id === "pay")?.output).toBe("Paid 25 EUR.");
  expect(steps.find((step) => step.step_id === "sorry")?.status).toBe("skipped");
});

test("rejected by the keyboard, with a reason that the run and the list show", async ({ page, server }) => {
  const order = unique("B-2");
  const { run, question } = await asking(server, order);
  await page.goto(`${server.url}${question}`);
  await expect(page.getByRole("button", { name: "Approve", exact: true })).toBeVisible();
  // A key alone decides nothing: it brings the focus.
  await page.keyboard.press("a");
  await expect(page.getByRole("button", { name: "Approve", exact: true })).toBeFocused();
  await page.keyboard.press("r");
  await expect(page.getByLabel("Why not")).toBeFocused();
  await page.keyboard.type("Too late.");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(page.getByText(/Rejected.*from these pages/)).toBeVisible();
  // The buttons are gone: the focus is where the answer is.
  await expect(page.getByRole("region", { name: "The question" })).toBeFocused();
  await page.getByRole("tab", { name: "Decided" }).click();
  await page.getByRole("list", { name: "Decided" }).getByRole("button", { name: `Refund order ${order}?` }).click();
  await expect(page.getByText("“Too late.”")).toBeVisible();
  await expect.poll(async () => JSON.stringify(await server.get(`/api/runs/${run}`))).toContain("No refund: Too late.");
});

test("a run that asks says so, and leads to its question", async ({ page, server }) => {
  const { run } = await asking(server, "C-3");
  await page.goto(`${server.url}/runs/${run}`);
  await expect(page.getByRole("status").filter({ hasText: "Waiting for approval" })).toBeVisible();
  await expect(page.getByText("Refund order C-3?").first()).toBeVisible();
  await page.getByRole("button", { name: /May we refund\?, Approval, Waiting/ }).click();
  await expect(page.getByRole("complementary").getByRole("link", { name: "Answer" })).toBeVisible();
  await page.getByRole("link", { name: "Answer" }).first().click();
  await expect(page).toHaveURL(new RegExp(`/approvals\\?id=${run}`));
  await page.getByRole("button", { name: "Approve", exact: true }).click();
  await expect(page.getByText(/Approved.*from these pages/)).toBeVisible();
});

test("lists say of a run that it waits, and for whom", async ({ page, server }) => {
  const { run } = await asking(server, "D-4");
  const name = unique("Waiting parcel");
  const parcel = await server.run(await server.workflow(name, signalled));
  await page.goto(`${server.url}/runs`);
  await expect(page.getByRole("row").filter({ has: page.locator(`a[href$="${run}"]`) })).toContainText("Waiting for approval");
  await expect(page.getByRole("row").filter({ has: page.locator(`a[href$="${parcel}"]`) }).getByRole("cell", { name: "Waiting", exact: true })).toBeVisible();
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("dialog").getByRole("option", { name: new RegExp(`${name}.*Waiting`) })).toBeVisible();
  // As a trace too.
  await page.goto(`${server.url}/traces?status=running`);
  await expect(page.getByRole("row").filter({ has: page.locator(`a[href$="${run.replaceAll("-", "")}"]`) })).toContainText("Waiting for approval");
});

test("a signal is sent from the page of the run", async ({ page, server }) => {
  const run = await server.run(await server.workflow("Parcels", signalled));
  await page.goto(`${server.url}/runs/${run}`);
  await expect(page.getByText("parcel-arrived")).toBeVisible();
  await page.getByRole("button", { name: "Send signal" }).first().click();
  await page.getByLabel("Payload, as JSON").fill(`{ "at": "noon" }`);
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await ended(page);
  const { steps } = await server.get<{ steps: { step_id: string; output: unknown }[] }>(`/api/runs/${run}`);
  expect(steps.find((step) => step.step_id === "after")?.output).toBe("Arrived: noon");
});

test("a paused run goes on when it is resumed", async ({ page, server }) => {
  const run = await server.run(await server.workflow("Parcels", signalled));
  await page.goto(`${server.url}/runs/${run}`);
  await page.getByRole("button", { name: "Pause" }).click();
  await expect(page.getByText("paused", { exact: true })).toBeVisible();
  await server.post(`/api/runs/${run}/signals/parcel-arrived`, { payload: { at: "one" } });
  await page.getByRole("button", { name: "Resume" }).click();
  await ended(page);
});

test("a question that is not there, and a server that fails", async ({ page, server }) => {
  await page.goto(`${server.url}/approvals?view=decided&id=019aa000-0000-7000-8000-000000000000%3Aask`);
  await expect(page.getByText(/There is no such question|no such run/i).first()).toBeVisible();
  // The page asks again by itself as well; only what Retry asks for is answered.
  let retried = false;
  await page.route("**/api/approvals?*", async (route) => {
    retried ||= await page.evaluate(() => document.activeElement?.textContent === "Retry");
    await (retried ? route.continue() : route.fulfill({ status: 500, contentType: "application/problem+json", json: { code: "internal", detail: "The store is on fire." } }));
  });
  await page.goto(`${server.url}/approvals`);
  await expect(page.getByText("The store is on fire.").first()).toBeVisible();
  await page.getByRole("button", { name: "Retry" }).first().click();
  await expect(page.getByText("The store is on fire.")).toBeHidden();
});
