import { randomBytes } from "node:crypto";
import { expect, Server, test, unique } from "./server";
import { findable, HOSTILE, sendTrace } from "./spans";
import { still } from "./still";
import { greeting, refund } from "./workflows";

test("a trace of any program is found by its words, and opens on what failed", async ({ page, server }) => {
  const word = `zebra${Date.now()}`;
  const { trace } = await sendTrace(server, { name: "Find me", prompt: `Where is my ${word}?`, user: "ann" });
  await findable(server, word);
  await page.goto(`${server.url}/traces`);
  await expect(page.getByRole("heading", { name: "Traces" })).toBeVisible();
  await page.keyboard.press("/");
  await page.keyboard.type(word);
  await expect(page).toHaveURL(new RegExp(`q=${word}`));
  await expect(page.getByRole("row")).toHaveCount(2);
  await expect(page.getByRole("row").nth(1)).toContainText("Failed");
  await page.getByRole("link", { name: /^Find me trace/ }).click();
  await expect(page).toHaveURL(new RegExp(`/traces/${trace}`));
  const pane = page.getByRole("complementary", { name: "Span chat gpt-4o-mini" });
  await expect(pane.getByRole("article", { name: "User" })).toContainText(`Where is my ${word}?`);
  await expect(pane.getByRole("article", { name: "Assistant" })).toContainText("It is on its way.");
  await expect(pane.getByText("HTTP 429: slow down")).toBeVisible();
  const header = page.getByRole("main").locator("header").first();
  await expect(header.getByText("Tokens").locator("xpath=../dd")).toHaveText("19");
  await pane.getByRole("tab", { name: "Attributes" }).click();
  await expect(pane.getByText(/"gen_ai.request.model": "gpt-4o-mini"/)).toBeVisible();
  await pane.getByRole("tab", { name: "Events" }).click();
  await expect(pane.getByText("exception", { exact: true })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(pane).toBeHidden();
  await page.reload();
  await expect(page.getByRole("button", { name: /^chat gpt-4o-mini, LLM, Failed/ })).toBeVisible();
  await expect(pane).toBeHidden();
  await page.keyboard.press("e");
  await expect(page.getByRole("complementary")).toBeVisible();
});

test("filters live in the URL, can be saved, and are there again", async ({ page, server }) => {
  const user = `user-${Date.now()}`;
  await sendTrace(server, { user, failing: false });
  await page.goto(`${server.url}/traces?user=${user}`);
  await expect(page.getByRole("row")).toHaveCount(2);
  await page.getByLabel("Status", { exact: true }).selectOption("ok");
  await page.getByLabel("Kind of span").selectOption("llm");
  await page.getByLabel("Time", { exact: true }).selectOption("1h");
  await expect(page).toHaveURL(/status=ok/);
  await page.getByRole("button", { name: "More filters" }).click();
  await page.getByRole("searchbox", { name: "Model" }).fill("gpt-4o-mini");
  await expect(page).toHaveURL(/model=gpt-4o-mini/);
  await expect(page.getByRole("row").nth(1).getByRole("cell", { name: "gpt-4o-mini" })).toBeVisible();
  await expect(page.getByRole("row")).toHaveCount(2);
  await page.getByRole("button", { name: "Save the filter" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill("Mine");
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await page.goto(`${server.url}/traces`);
  await page.getByLabel("Saved filters").selectOption("Mine");
  await expect(page).toHaveURL(new RegExp(`user=${user}`));
  await expect(page.getByLabel("Kind of span")).toHaveValue("llm");
  await page.getByLabel("Status", { exact: true }).selectOption("failed");
  await expect(page.getByText("No trace matches")).toBeVisible();
});

test("two filters that are set at once are both kept, and a filter goes with its chip", async ({ page, server }) => {
  const user = unique("quick");
  await sendTrace(server, { user, session: user, failing: false });
  await page.goto(`${server.url}/traces?user=${encodeURIComponent(user)}`);
  await expect(page.getByRole("row")).toHaveCount(2);
  // Before the page has been drawn again after the first.
  await page.evaluate(() => {
    for (const [label, value] of [["Status", "ok"], ["Kind of span", "llm"]]) {
      const select = document.querySelector<HTMLSelectElement>(`select[aria-label="${label}"]`);
      if (!select) throw new Error(`there is no ${label}`);
      select.value = value ?? "";
      select.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });
  await expect(page).toHaveURL(/status=ok&kind=llm|kind=llm.*status=ok/);
  const chips = page.getByRole("list", { name: "Conditions" }).getByRole("button", { name: /^Remove/ });
  await expect(chips).toHaveCount(3);
  await page.getByRole("row").nth(1).getByRole("link", { name: user }).first().click();
  await expect(chips).toHaveCount(1);
  await page.goto(`${server.url}/sessions?user=${encodeURIComponent(user)}`);
  await expect(page.getByRole("row")).toHaveCount(2);
  await page.getByRole("button", { name: `Remove User ${user}` }).click();
  await expect(page).toHaveURL(/\/sessions$/);
});

test("closing a span brings the focus back to its row, by the button and by the key", async ({ page, server }) => {
  const { trace } = await sendTrace(server);
  await page.goto(`${server.url}/traces/${trace}`);
  const row = page.getByRole("button", { name: /^chat gpt-4o-mini, LLM, Failed/ });
  await expect(row).toBeVisible();
  for (const key of ["Enter", "Escape"]) {
    await page.getByRole("button", { name: "Close the span (Esc)" }).focus();
    await page.keyboard.press(key);
    await expect(row).toBeFocused();
    await page.keyboard.press("Enter");
  }
});

test("a span whose parent is not there stands by itself, and says so; a trace without a name is shown as one", async ({ page, server }) => {
  const trace = randomBytes(16).toString("hex");
  const now = Date.now() - 60_000;
  const span = (spanId: string, parentSpanId: string) => ({ traceId: trace, spanId, parentSpanId, name: "", startTimeUnixNano: `${now}000000`, endTimeUnixNano: `${now + 500}000000` });
  await server.post("/v1/traces", { resourceSpans: [{ scopeSpans: [{ spans: [span("00000000000000a1", "00000000000000ff"), span("00000000000000a2", "00000000000000a1")] }] }] });
  await expect.poll(async () => (await server.get<{ spans?: unknown[] }>(`/api/traces/${trace}?io=none`)).spans?.length).toBe(2);
  await page.goto(`${server.url}/traces/${trace}`);
  await expect(page.getByRole("heading", { level: 1, name: "Unnamed" })).toBeVisible();
  await expect(page).toHaveTitle(/^Unnamed: /);
  await page.getByRole("button", { name: /^00000000000000a1, / }).click();
  await expect(page.getByRole("complementary").getByText("parent missing")).toBeVisible();
  await page.getByRole("button", { name: /^00000000000000a2, / }).click();
  await expect(page.getByRole("complementary", { name: "Span 00000000000000a2" })).toBeVisible();
  await expect(page.getByText("parent missing")).toBeHidden();
});

test("a trace and a session that cannot be read say so under their heading, and come with Retry", async ({ page, server }) => {
  const { trace } = await sendTrace(server, { name: "Comes later", session: "comes-later" });
  let broken = true;
  await page.route(/\/api\/(traces|sessions)\//, (route) => (broken ? route.fulfill({ status: 500, contentType: "application/problem+json", json: { code: "internal", detail: "The store is on fire." } }) : route.continue()));
  for (const [path, before, after] of [[`/traces/${trace}`, "Trace", "Comes later"], ["/sessions/comes-later", "Session", "Session comes-later"]]) {
    broken = true;
    await page.goto(`${server.url}${path}`);
    await expect(page.getByRole("heading", { level: 1, name: before, exact: true })).toBeVisible();
    await expect(page.getByRole("alert")).toContainText("The store is on fire.");
    broken = false;
    await page.getByRole("button", { name: "Retry" }).click();
    await expect(page.getByRole("heading", { level: 1, name: after, exact: true })).toBeVisible();
  }
});

test("every condition can be set, is a chip, and is taken away one by one", async ({ page, server }) => {
  const user = `all-${Date.now()}`;
  const { trace } = await sendTrace(server, { user, session: `${user}-session`, metadata: ["ticket", "17"], tag: "vip", failing: false });
  await sendTrace(server, { user, metadata: ["ticket", "18"] });
  await server.post("/api/scores", { trace_id: trace, name: "quality", value: 0.7 });
  await page.goto(`${server.url}/traces?user=${user}`);
  await expect(page.getByRole("row")).toHaveCount(3);
  await page.getByRole("button", { name: "More filters" }).click();
  const form = page.getByRole("group", { name: "More filters" });
  for (const [name, value] of [
    ["Model", "gpt-4o-mini"],
    ["Provider", "openai"],
    ["Session", `${user}-session`],
    ["Environment", "test"],
    ["Tag", "vip"],
    ["Name of a span", "Support"],
    ["Service", "shop"],
    ["Score", "quality"],
    ["Value of the score: at least", "0.5"],
    ["Value of the score: at most", "1"],
    ["Latency, s: at least", "0.5"],
    ["Latency, s: at most", "60"],
    ["Cost, US$: at least", "0.000001"],
    ["Cost, US$: at most", "1"],
    ["Tokens: at least", "1"],
    ["Tokens: at most", "1000"],
  ] as const) {
    await form.getByRole("searchbox", { name, exact: true }).fill(value);
    await expect(page.getByRole("list", { name: "Conditions" })).toContainText(value);
  }
  await form.getByLabel("Metadata key").fill("ticket");
  await form.getByLabel("Metadata value").fill("17");
  await form.getByRole("button", { name: "Add the metadata condition" }).click();
  await form.getByLabel("Started at or after").fill("2020-01-02T03:04");
  await page.getByLabel("Status", { exact: true }).selectOption("ok");
  await page.getByLabel("Kind of span").selectOption("llm");
  await expect(page.getByRole("row")).toHaveCount(2);
  const chips = page.getByRole("list", { name: "Conditions" }).getByRole("button", { name: /^Remove/ });
  await expect(chips).toHaveCount(17);
  // The same in another tab: it is all in the address.
  const other = await page.context().newPage();
  await other.goto(page.url());
  await expect(other.getByRole("row")).toHaveCount(2);
  await expect(other.getByRole("list", { name: "Conditions" })).toContainText("ticket = 17");
  await other.close();
  await form.getByRole("searchbox", { name: "Tokens: at least", exact: true }).fill("many");
  await expect(form.getByRole("searchbox", { name: "Tokens: at least", exact: true })).toHaveAttribute("aria-invalid", "true");
  await page.getByRole("button", { name: "Remove Metadata ticket = 17" }).click();
  await expect(chips).toHaveCount(16);
  // The score goes together with its value, so that goes first.
  await page.getByRole("button", { name: /^Remove Value of the score/ }).click();
  await expect(chips).toHaveCount(15);
  for (let left = 14; left >= 0; left -= 1) {
    await chips.first().click();
    await expect(chips).toHaveCount(left);
  }
  await expect(page).toHaveURL(/\/traces$/);
});

test("columns sort, from the highest and from the lowest", async ({ page, server }) => {
  const user = `sorted-${Date.now()}`;
  await sendTrace(server, { name: "Small", user, calls: 1, failing: false });
  await sendTrace(server, { name: "Large", user, calls: 3, failing: false });
  await sendTrace(server, { name: "Middle", user, calls: 2, failing: false });
  await page.goto(`${server.url}/traces?user=${user}`);
  const first = page.getByRole("row").nth(1);
  await expect(first).toContainText("Middle");
  await page.getByRole("columnheader", { name: "Tokens" }).getByRole("button").click();
  await expect(first).toContainText("Large");
  await expect(page.getByRole("columnheader", { name: "Tokens" })).toHaveAttribute("aria-sort", "descending");
  await page.getByRole("columnheader", { name: "Tokens" }).getByRole("button").click();
  await expect(first).toContainText("Small");
  await expect(page).toHaveURL(/sort=tokens/);
  await page.getByRole("columnheader", { name: "Tokens" }).getByRole("button").click();
  await expect(first).toContainText("Middle");
});

test("sessions are searched, sorted, and lead to their traces", async ({ page, server }) => {
  const tag = `s${Date.now()}`;
  await sendTrace(server, { session: `${tag}-fine`, user: "ann", failing: false });
  await sendTrace(server, { session: `${tag}-broken`, user: "bob" });
  await sendTrace(server, { session: `${tag}-broken`, user: "bob", calls: 2, failing: false });
  await page.goto(`${server.url}/traces`);
  await page.getByRole("link", { name: "Sessions" }).click();
  await expect(page.getByRole("heading", { name: "Sessions" })).toBeVisible();
  await page.keyboard.press("/");
  await page.keyboard.type(tag.toUpperCase());
  await expect(page.getByRole("row")).toHaveCount(3);
  const first = page.getByRole("row").nth(1);
  await expect(first).toContainText(`${tag}-broken`);
  await expect(first).toContainText("Failed");
  await expect(first).toContainText("1/2");
  await page.getByRole("columnheader", { name: "Cost" }).getByRole("button").click();
  await expect(page).toHaveURL(/sort=-cost/);
  await page.getByRole("columnheader", { name: "Cost" }).getByRole("button").click();
  await expect(first).toContainText(`${tag}-fine`);
  await page.getByLabel("Status").selectOption("failed");
  await expect(page.getByRole("row")).toHaveCount(2);
  await page.getByRole("link", { name: `${tag}-broken` }).click();
  await expect(page.getByRole("heading", { name: `Session ${tag}-broken` })).toBeVisible();
  await expect(page.getByRole("row")).toHaveCount(3);
  await page.getByRole("navigation", { name: "Breadcrumb" }).getByRole("link", { name: "Sessions" }).click();
  await expect(page).toHaveURL(/\/sessions$/);
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: /^Search pages/ }).fill("sessions");
  await expect(page.getByRole("option", { name: "Sessions" })).toBeVisible();
});

test("a model call of a trace is made again with another prompt, and compared with what it was", async ({ page, server }) => {
  const { trace, first } = await sendTrace(server, { prompt: "Where is {{input.order}}?", failing: false });
  await page.goto(`${server.url}/traces/${trace}?span=${first}`);
  await page.getByRole("button", { name: "Replay" }).click();
  const dialog = page.getByRole("dialog", { name: "Replay chat gpt-4o-mini" });
  await expect(dialog.getByLabel("System message")).toHaveValue("Be kind.");
  await expect(dialog.getByLabel("Message 1", { exact: true })).toHaveValue("Where is {{input.order}}?");
  await expect(dialog.getByText("simulated", { exact: true })).toBeVisible();
  await expect(dialog.getByText(/about \$0\.0000/)).toBeVisible();
  await dialog.getByLabel("Parameters, as JSON").fill('{"temperature": 9}');
  await expect(dialog.getByRole("alert")).toContainText(/temperature/);
  await dialog.getByLabel("Parameters, as JSON").fill('{"temperature": 0.5}');
  await dialog.getByLabel("Message 1", { exact: true }).fill("When does {{input.order}} come?");
  await dialog.getByLabel("Model").fill("gpt-4o");
  await dialog.getByRole("button", { name: "Start and compare" }).click();
  await expect(page).toHaveURL(/\/compare\?a=span/);
  await expect(page.getByRole("status").filter({ hasText: "differs in" })).toContainText("prompt");
  const prompt = page.getByRole("region", { name: "Prompt" });
  await expect(prompt.locator("del").first()).toContainText("Where");
  await expect(prompt.locator("ins").first()).toContainText("When");
  await expect(page.getByRole("row", { name: /^Model/ })).toContainText("another");
  await expect(page.getByRole("row", { name: /^Cost/ })).toContainText(/[+−]\$/);
  // The run leads back to the span.
  const run = new URL(page.url()).searchParams.get("b") ?? "";
  expect((await server.get<{ replay_of?: unknown }>(`/api/runs/${run}`)).replay_of).toEqual({ trace_id: trace, span_id: first });
  await page.goto(`${server.url}/runs/${run}`);
  await page.getByRole("link", { name: "Replay of a span" }).click();
  await page.getByRole("link", { name: "Open the span in A" }).click();
  await expect(page).toHaveURL(new RegExp(`/traces/${trace}\\?span=${first}`));
});

test("models without a price are named, with what to do", async ({ page, server }) => {
  const model = `house-${Date.now()}`;
  await sendTrace(server, { model, failing: false });
  await page.goto(`${server.url}/traces?model=${model}`);
  await expect(page.getByRole("row").nth(1)).toContainText("—");
  await page.getByRole("button", { name: /without a price/ }).click();
  const dialog = page.getByRole("dialog", { name: "Models without a price" });
  await expect(dialog.getByRole("row", { name: model })).toContainText("openai");
  await expect(dialog.getByText(`[prices."openai"."${model}"]`)).toBeVisible();
});

test("what arrives is shown at once in a live list", async ({ page, server }) => {
  const user = `live-${Date.now()}`;
  const streams: string[] = [];
  page.on("request", (request) => request.url().includes("/api/traces/tail") && streams.push(request.url()));
  await page.goto(`${server.url}/traces?user=${user}&live=1`);
  await expect(page.getByText("No trace matches")).toBeVisible();
  await expect.poll(() => streams.length).toBe(1);
  await sendTrace(server, { name: "While I look", user });
  await expect(page.getByRole("link", { name: /^While I look/ })).toBeVisible();
  await page.getByRole("button", { name: "Live", exact: true }).click();
  await expect(page).not.toHaveURL(/live=1/);
});

test("the keyboard goes from row to row and opens one, also while others come in above", async ({ page, server }) => {
  const user = `keys-${Date.now()}`;
  for (const name of ["Third", "Second", "First"]) await sendTrace(server, { name, user });
  await page.goto(`${server.url}/traces?user=${user}&live=1`);
  await expect(page.getByRole("row")).toHaveCount(4);
  const row = (name: string) => page.getByRole("link", { name: new RegExp(`^${name}`) });
  await page.keyboard.press("j");
  await expect(row("First")).toBeFocused();
  await sendTrace(server, { name: "Newer", user });
  await expect(row("Newer")).toBeVisible();
  await expect(row("First")).toBeFocused();
  await page.keyboard.press("j");
  await expect(row("Second")).toBeFocused();
  await page.keyboard.press("k");
  await page.keyboard.press("k");
  await expect(row("Newer")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Newer" })).toBeVisible();
});

test("names keep their place however deep a trace is", async ({ page, server }) => {
  const spans = Array.from({ length: 40 }, (_, depth) => ({
    traceId: "ab".repeat(16),
    spanId: String(depth + 1).padStart(16, "0"),
    parentSpanId: depth > 0 ? String(depth).padStart(16, "0") : "",
    name: `Level ${depth}`,
    startTimeUnixNano: `${Date.now() - 60_000}000000`,
    endTimeUnixNano: `${Date.now() - 50_000}000000`,
  }));
  await server.post("/v1/traces", { resourceSpans: [{ scopeSpans: [{ spans }] }] });
  for (const view of ["timeline", "tree"]) {
    await page.goto(`${server.url}/traces/${"ab".repeat(16)}?view=${view}`);
    await expect(async () => {
      await page.reload();
      await expect(page.getByText("Level 1", { exact: true })).toBeVisible({ timeout: 2_000 });
    }).toPass();
    await page.getByText("Level 1", { exact: true }).click();
    for (let down = 0; down < 30; down++) await page.keyboard.press("j");
    const name = page.getByLabel("Spans").getByText("Level 31", { exact: true });
    await expect(name).toBeInViewport();
    const [box, header] = await still(name, page.getByLabel("Spans").getByText("Step", { exact: true }));
    if (!box || !header) throw new Error("the name is not on the screen");
    const { x, width } = box;
    expect(x + width, `the name of level 31 ends in its own column (${view})`).toBeLessThanOrEqual(header.x + header.width + 1);
    expect(width).toBeGreaterThan(25);
  }
});

test("a hidden tab lets go of its stream, and catches up when it is back", async ({ page, server }) => {
  const user = `hidden-${Date.now()}`;
  const hide = (hidden: boolean) =>
    page.evaluate((hidden) => {
      Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
      document.dispatchEvent(new Event("visibilitychange"));
    }, hidden);
  const opened = page.waitForRequest(/api\/traces\/tail/);
  await page.goto(`${server.url}/traces?user=${user}&live=1`);
  const request = await opened;
  const closed = page.waitForEvent("requestfailed", (failed) => failed === request);
  await expect(page.getByText("No trace matches")).toBeVisible();
  await hide(true);
  await closed;
  await sendTrace(server, { name: "Meanwhile", user });
  await hide(false);
  await expect(page.getByRole("link", { name: /^Meanwhile/ })).toBeVisible();
});

test("a prompt is text, whatever is in it", async ({ page, server }) => {
  const { trace } = await sendTrace(server, { name: `<i>${HOSTILE}</i>`, prompt: HOSTILE, session: HOSTILE, user: HOSTILE });
  await page.goto(`${server.url}/traces/${trace}`);
  await expect(page.getByRole("article", { name: "User" }).getByText(HOSTILE)).toBeVisible();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("<i><img");
  await page.goto(`${server.url}/traces`);
  await expect(page.getByRole("row").nth(1)).toBeVisible();
  await page.goto(`${server.url}/sessions/${encodeURIComponent(HOSTILE)}`);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("<script>");
  expect(await page.evaluate(() => (window as unknown as { hacked?: number }).hacked)).toBeUndefined();
  expect(await page.locator("main script, main img[src=x], main a[href^=javascript]").count()).toBe(0);
});

test("the traces of a session stand together", async ({ page, server }) => {
  const session = `chat/${Date.now()} a?b`;
  await sendTrace(server, { name: "First turn", session, failing: false });
  await sendTrace(server, { name: "Second turn", session, failing: false });
  await page.goto(`${server.url}/traces?session=${encodeURIComponent(session)}`);
  await page.getByRole("link", { name: session }).first().click();
  await expect(page.getByRole("heading", { name: `Session ${session}` })).toBeVisible();
  await expect(page.getByRole("row")).toHaveCount(3);
  await expect(page.getByRole("main").locator("header").getByText("Tokens").locator("xpath=../dd")).toHaveText("38");
  await page.getByRole("link", { name: /^First turn/ }).click();
  await expect(page.getByRole("heading", { name: "First turn" })).toBeVisible();
});

test("a trace is pinned and scored", async ({ page, server }) => {
  const { trace } = await sendTrace(server, { failing: false });
  await page.goto(`${server.url}/traces/${trace}`);
  await page.getByRole("button", { name: "Pin", exact: true }).click();
  await expect(page.getByRole("button", { name: "Unpin" })).toBeVisible();
  await page.getByRole("button", { name: "Score" }).click();
  await page.getByRole("dialog").getByLabel("Value").fill("0.25");
  await page.getByRole("dialog").getByRole("button", { name: "Save the score" }).click();
  await expect(page.getByRole("region", { name: "Scores" })).toContainText("quality0.25");
  const kept = await server.get<{ pinned: boolean; scores: { value: unknown }[] }>(`/api/traces/${trace}`);
  expect([kept.pinned, kept.scores.map((score) => score.value)]).toEqual([true, [0.25]]);
  await page.getByRole("button", { name: "Unpin" }).click();
  await expect(page.getByRole("button", { name: "Pin", exact: true })).toBeVisible();
});

test("a run of this instance is a trace that leads back to it", async ({ page, server }) => {
  const run = await server.run(await server.workflow("Traced", greeting), { name: "Ann", age: "30" }, 20);
  const { trace_id } = await server.get<{ trace_id?: string }>(`/api/runs/${run}`);
  expect(trace_id).toMatch(/^[0-9a-f]{32}$/);
  await expect.poll(async () => (await server.get<{ status?: string | number }>(`/api/traces/${trace_id}`)).status).toBe("ok");
  await page.goto(`${server.url}/traces/${trace_id}`);
  await page.getByRole("link", { name: "Open the run" }).click();
  await expect(page).toHaveURL(new RegExp(run));
  // A service that the run called sends its span; the run leads to it.
  const { spans } = await server.get<{ spans: { span_id: string }[] }>(`/api/traces/${trace_id}?io=none`);
  const now = Date.now();
  const span = { traceId: trace_id, spanId: "00000000000000aa", parentSpanId: spans.at(-1)?.span_id, name: "look it up", startTimeUnixNano: `${now}000000`, endTimeUnixNano: `${now + 5}000000` };
  await server.post("/v1/traces", { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
  await page.getByRole("link", { name: "all spans" }).click();
  await expect(page).toHaveURL(new RegExp(`/traces/${trace_id}`));
  await expect(page.getByRole("button", { name: /^look it up, / })).toBeVisible();
});

test("what is under way in a trace is not shown as done", async ({ page, server }) => {
  const run = await server.run(await server.workflow("Traced question", refund), { order: "T-1" });
  const { trace_id } = await server.get<{ trace_id?: string }>(`/api/runs/${run}`);
  await expect.poll(async () => (await server.get<{ status?: string }>(`/api/traces/${trace_id}`)).status).toBe("running");
  await page.goto(`${server.url}/traces/${trace_id}`);
  await expect(page.getByRole("button", { name: /^Traced question, Workflow, Running/ })).toBeVisible();
  // It goes on, and so does its time: not how long that took which has ended.
  await expect(page.getByRole("main").locator("header").first().getByText("Duration").locator("xpath=../dd")).toHaveText(/^[1-9][\d.]* s/);
  await page.getByRole("button", { name: /^ask, .*Running/ }).click();
  await expect(page.getByRole("complementary").getByText("Running")).toBeVisible();
  await server.post(`/api/approvals/${encodeURIComponent(`${run}:ask`)}`, { decision: "approve" });
  await expect(page.getByRole("complementary").getByText("Succeeded")).toBeVisible();
});

test("a trace of 10,000 spans has only the rows that are in view", async ({ page, server }) => {
  const { trace, root } = await sendTrace(server, { calls: 9_999, failing: false });
  await page.goto(`${server.url}/traces/${trace}?span=${root}`);
  await expect(page.getByRole("complementary")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("button", { name: /^chat gpt-4o-mini, LLM/ }).first()).toBeVisible();
  await expect.poll(() => page.locator("[data-row]").count()).toBeLessThan(100);
  await page.getByRole("tab", { name: "Tree" }).click();
  await expect(page.getByRole("treeitem").first()).toBeVisible();
  await expect.poll(() => page.locator("[data-row]").count()).toBeLessThan(100);
});

test("with no trace yet it says how to send one, and with no server it keeps the rows", async ({ page }) => {
  const server = await Server.start();
  try {
    await page.goto(`${server.url}/traces`);
    await expect(page.getByText(`OTEL_EXPORTER_OTLP_ENDPOINT=${server.url}`)).toBeVisible();
    await expect(page.getByRole("button", { name: "Copy the line" })).toBeVisible();
    await sendTrace(server, { name: "Stays" });
    await page.reload();
    await expect(page.getByRole("link", { name: /^Stays/ })).toBeVisible();
    await server.kill();
    await page.getByLabel("Status", { exact: true }).selectOption("failed");
    await expect(page.getByRole("alert")).toBeVisible();
    await expect(page.getByRole("link", { name: /^Stays/ })).toBeVisible();
  } finally {
    await server.stop();
  }
});

test("an address that names no trace says so", async ({ page, server }) => {
  await page.goto(`${server.url}/traces/${"0".repeat(31)}1`);
  await expect(page.getByText("There is no such trace")).toBeVisible();
  await expect(page.getByRole("link", { name: "Go to the traces" })).toBeVisible();
  await page.goto(`${server.url}/sessions/nobody-said-this`);
  await expect(page.getByText("There is no such session")).toBeVisible();
  await page.getByRole("link", { name: "Go to the sessions" }).click();
  await expect(page.getByRole("heading", { name: "Sessions" })).toBeVisible();
});
