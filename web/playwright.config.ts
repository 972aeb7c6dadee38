import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: "e2e",
  // They end what hangs; the slowest test takes 40 s where five times as much runs as the machine has cores.
  timeout: 180_000,
  expect: { timeout: 30_000 },
  fullyParallel: true,
  workers: 2,
  // A test that passes only when it is tried again is printed as flaky at the end: it is to be mended, but no reason to refuse a change.
  retries: process.env.CI ? 1 : 0,
  reporter: process.env.CI ? "line" : "list",
  use: {
    viewport: { width: 1280, height: 800 },
    trace: "retain-on-failure",
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-dev-shm-usage"],
    },
  },
});
