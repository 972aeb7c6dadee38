// Records the two-minute demo, with the real binary and simulated models in a real browser:
//
//   node scripts/demo-video.mjs ../docs/demo.webm      (or `make demo-video`)
//
// Every step waits for what it shows, so the recording fails where the demo does not work. The browser's own frames become
// a WebM file by the browser's own encoder: nothing else has to be installed.
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, expect } from "@playwright/test";
import { ArrayBufferTarget, Muxer } from "webm-muxer";

const [target = "demo.webm"] = process.argv.slice(2);
const BINARY = process.env.FLOWTRACE_BIN ?? fileURLToPath(new URL("../../target/debug/flowtrace", import.meta.url));
const SIZE = { width: 1280, height: 720 };
const MOST_BYTES = 5_000_000;
const BITS_PER_SECOND = 420_000;
const KEYFRAME_EVERY_MS = 5_000;

const data = await mkdtemp(join(tmpdir(), "flowtrace-demo-"));
const server = spawn(BINARY, ["serve", "--simulate", "--listen", "127.0.0.1:0", "--data", data], { env: { PATH: process.env.PATH }, stdio: ["ignore", "pipe", "pipe"] });
const url = await new Promise((resolve, reject) => {
  let output = "";
  const read = (chunk) => {
    output += chunk;
    const found = /ready at (http:\/\/\S+)/.exec(output)?.[1];
    if (found) resolve(found);
  };
  server.stdout.on("data", read);
  server.stderr.on("data", read);
  server.once("error", reject);
  server.once("exit", (code) => reject(new Error(`the server ended with ${code}:\n${output}`)));
});
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars"] });
try {
  const page = await browser.newPage({ viewport: SIZE, colorScheme: "light" });
  await page.addInitScript(overlay);
  const frames = await record(page, () => play(page));
  const bytes = await encode(frames);
  if (bytes.length > MOST_BYTES) throw new Error(`The video has ${bytes.length} bytes; ${MOST_BYTES} are the most.`);
  await writeFile(target, bytes);
  const seconds = (frames.at(-1).at - frames[0].at) / 1000;
  console.log(`${target}: ${seconds.toFixed(0)} s, ${frames.length} frames, ${(bytes.length / 1e6).toFixed(2)} MB`);
} finally {
  await browser.close();
  server.kill("SIGKILL");
  await rm(data, { recursive: true, force: true });
}

/** What happens, at the pace of somebody who explains it. */
async function play(page) {
  const header = page.getByRole("main").locator("header").first();
  const pause = (seconds) => page.waitForTimeout(seconds * 1000);
  const say = (text) => page.evaluate((text) => globalThis.demoCaption(text), text);
  const click = async (locator, then = 0.7) => {
    const box = await locator.boundingBox();
    if (!box) throw new Error(`${locator} is not on the page`);
    await page.mouse.move(box.x + Math.min(box.width / 2, 120), box.y + box.height / 2, { steps: 24 });
    await pause(0.35);
    await locator.click({ position: { x: Math.min(box.width / 2, 120), y: box.height / 2 } });
    await pause(then);
  };

  const run = async (words) => {
    await page.keyboard.press("Control+k");
    await pause(0.6);
    await page.getByRole("combobox").pressSequentially(words, { delay: 80 });
    await pause(0.6);
    await page.keyboard.press("Enter");
    const button = page.getByRole("dialog").getByRole("button", { name: "Run", exact: true });
    await expect(button).toBeEnabled();
    await pause(1);
    const before = page.url();
    await click(button, 0.2);
    await page.waitForURL((now) => now.pathname.startsWith("/runs/") && now.href !== before);
  };

  await page.goto(url);
  await expect(page.getByRole("button", { name: "Run the demo" })).toBeVisible();
  await say("A new FlowTrace: one binary, two demos, simulated models");
  await pause(3);
  await say("Run the demo");
  await click(page.getByRole("button", { name: "Run the demo" }), 0.2);
  await say("Every step appears as it happens, and answers stream in");
  await expect(page.getByRole("button", { name: /^Analysis, LLM/ })).toBeVisible();
  await click(page.getByRole("button", { name: /^Analysis, LLM/ }), 0.2);
  await expect(header).toContainText("Succeeded", { timeout: 30_000 });
  await pause(1.5);
  await say("Open a step: its prompt, its answer, …");
  await click(page.getByRole("button", { name: /^Write-up, LLM/ }), 3);
  await say("… what each token cost, …");
  await click(page.getByRole("tab", { name: "Tokens & cost" }), 3);
  await say("… and where the time went, attempt by attempt");
  await click(page.getByRole("tab", { name: "Timing" }), 3.5);

  await say("Now let the next three model calls fail");
  await click(page.getByRole("button", { name: "Fail the next call" }), 0.8);
  await click(page.getByRole("menuitem", { name: /500 three times/ }), 1.5);
  await say("… and run the other demo, from the palette");
  await run("run research");
  await say("Each attempt is a bar: failed, waited, tried again …");
  const summary = page.getByRole("button", { name: /^Summarize, LLM/ });
  await expect(summary.getByText(/retr(y|ies)/)).toBeVisible({ timeout: 20_000 });
  await expect(summary.getByText("fallback claude-haiku-4-5")).toBeVisible({ timeout: 20_000 });
  await say("… until another provider took over");
  await expect(header).toContainText("Succeeded", { timeout: 60_000 });
  await pause(2.5);
  await click(summary, 3.5);
  await say("The same run as a graph: the branch that was not taken is dashed");
  await click(page.getByRole("button", { name: /Close the step/ }), 0.3);
  await click(page.getByRole("tab", { name: "Graph" }), 3.5);
  await click(page.getByRole("tab", { name: "Timeline" }), 0.4);

  await say("Run the first demo again");
  await run("run csv");
  await expect(header).toContainText("Succeeded", { timeout: 30_000 });
  await expect(page.getByRole("button", { name: /^Analysis, LLM/ }).getByText("cached")).toBeVisible();
  await expect(header).toContainText(/Cost\$0(?!\.)/);
  await expect(header).toContainText(/saved \$0\.\d/);
  await say("cache.hit: answers that were paid for once cost nothing now, and the header says what that saved");
  await click(page.getByRole("button", { name: /^Analysis, LLM/ }), 0.3);
  await click(page.getByRole("tab", { name: "Tokens & cost" }), 4.5);
  await say("make run");
  await pause(2.5);
}

/** The frames that the browser draws while `work` goes on; it sends one for each change. */
async function record(page, work) {
  const cdp = await page.context().newCDPSession(page);
  const frames = [];
  cdp.on("Page.screencastFrame", ({ data, metadata, sessionId }) => {
    frames.push({ at: metadata.timestamp * 1000, data });
    void cdp.send("Page.screencastFrameAck", { sessionId });
  });
  await cdp.send("Page.startScreencast", { format: "jpeg", quality: 92, maxWidth: SIZE.width, maxHeight: SIZE.height });
  await work();
  await cdp.send("Page.stopScreencast");
  // The last one stays for a moment.
  const last = frames.at(-1);
  frames.push({ at: last.at + 2_000, data: last.data });
  return frames;
}

async function encode(frames) {
  const page = await browser.newPage();
  // An encoder exists on secure origins only, of which the server's own is one.
  await page.goto(`${url}/favicon.svg`);
  await page.evaluate(
    ({ size, bitrate }) => {
      const done = (globalThis.chunks = []);
      globalThis.encoder = new VideoEncoder({
        output: (chunk, meta) => {
          const bytes = new Uint8Array(chunk.byteLength);
          chunk.copyTo(bytes);
          done.push({ type: chunk.type, at: chunk.timestamp, data: btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")), config: meta?.decoderConfig && { codec: meta.decoderConfig.codec } });
        },
        error: (error) => (globalThis.encoderError = String(error)),
      });
      globalThis.encoder.configure({ codec: "vp09.00.31.08", ...size, bitrate, framerate: 10, latencyMode: "quality" });
    },
    { size: SIZE, bitrate: BITS_PER_SECOND },
  );
  const muxer = new Muxer({ target: new ArrayBufferTarget(), video: { codec: "V_VP9", ...SIZE }, firstTimestampBehavior: "offset" });
  const take = async () => {
    const { chunks, error } = await page.evaluate(() => ({ chunks: globalThis.chunks.splice(0), error: globalThis.encoderError }));
    if (error) throw new Error(error);
    for (const { type, at, data } of chunks) muxer.addVideoChunkRaw(Buffer.from(data, "base64"), type, at);
  };
  let lastKey = -Infinity;
  let before = -Infinity;
  for (const { at, data } of frames) {
    // Not more than ten a second: nothing here moves faster.
    if (at - before < 100 && at !== frames.at(-1).at) continue;
    before = at;
    const key = at - lastKey >= KEYFRAME_EVERY_MS;
    if (key) lastKey = at;
    await page.evaluate(
      async ({ data, at, key }) => {
        const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
        const frame = new VideoFrame(await createImageBitmap(new Blob([bytes], { type: "image/jpeg" })), { timestamp: at });
        globalThis.encoder.encode(frame, { keyFrame: key });
        frame.close();
        while (globalThis.encoder.encodeQueueSize > 4) await new Promise((resolve) => setTimeout(resolve, 5));
      },
      { data, at: Math.round((at - frames[0].at) * 1000), key },
    );
    await take();
  }
  await page.evaluate(() => globalThis.encoder.flush());
  await take();
  muxer.finalize();
  return new Uint8Array(muxer.target.buffer);
}

/** In the page: the pointer, which a recording does not show, and a line that says what happens. Styles through the CSSOM only. */
function overlay() {
  const make = (styles) => {
    const element = document.createElement("div");
    element.setAttribute("aria-hidden", "true");
    Object.assign(element.style, { position: "fixed", zIndex: "9999", pointerEvents: "none", ...styles });
    return element;
  };
  const pointer = make({ width: "18px", height: "18px", marginLeft: "-9px", marginTop: "-9px", borderRadius: "50%", background: "rgb(36 87 214 / 0.35)", border: "2px solid rgb(36 87 214 / 0.9)", left: "-50px", top: "-50px" });
  const caption = make({ left: "50%", bottom: "22px", transform: "translateX(-50%)", padding: "8px 18px", borderRadius: "6px", background: "rgb(15 20 28 / 0.92)", color: "#fff", font: "500 17px/24px system-ui, sans-serif", whiteSpace: "nowrap", visibility: "hidden" });
  const show = () => {
    // Above a modal dialog only what is inside of it, or in the top layer itself, can be seen.
    const host = document.querySelector("dialog[open]") ?? document.body;
    for (const element of [pointer, caption]) if (element.parentElement !== host) host.append(element);
  };
  globalThis.demoCaption = (text) => {
    show();
    caption.textContent = text;
    caption.style.visibility = "visible";
  };
  addEventListener("mousemove", (event) => {
    show();
    pointer.style.left = `${event.clientX}px`;
    pointer.style.top = `${event.clientY}px`;
  });
}
