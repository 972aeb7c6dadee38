import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// `npm run dev` serves the pages and passes the API on to a running server.
const server = process.env.FLOWTRACE_URL ?? "http://127.0.0.1:7878";

// The server answers only pages of its own origin, so the proxy has to be one.
const proxy = Object.fromEntries(["/api", "/health", "/version"].map((path) => [path, { target: server, changeOrigin: true, headers: { origin: server } }]));

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    // The Content-Security-Policy allows neither inline scripts nor data: scripts.
    assetsInlineLimit: 0,
    // For scripts/size.mjs.
    manifest: true,
    modulePreload: { polyfill: false },
    target: "es2022",
  },
  server: { proxy },
  preview: { proxy },
  // Five seconds, the default, are too few for the largest cases on a machine that does something else beside them.
  test: { include: ["src/**/*.test.ts", "src/**/*.test.tsx"], environment: "node", testTimeout: 60_000 },
});
