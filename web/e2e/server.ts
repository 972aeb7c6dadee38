import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test as base, expect, type Page } from "@playwright/test";

const BINARY = process.env.FLOWTRACE_BIN ?? fileURLToPath(new URL("../../target/debug/flowtrace", import.meta.url));

/** The built binary with simulated models and a data directory of its own. */
export class Server {
  url = "";
  private child: ChildProcess | undefined;

  private constructor(
    readonly data: string,
    readonly keys: string,
    private readonly flags: string[],
  ) {}

  static async start(flags: string[] = []): Promise<Server> {
    const server = new Server(await mkdtemp(join(tmpdir(), "flowtrace-e2e-")), await mkdtemp(join(tmpdir(), "flowtrace-e2e-keys-")), flags);
    // A port that the system gives to no outgoing connection: one of the browser's would stand in the way of a restart.
    for (let tries = 1; ; tries++) {
      try {
        await server.spawn(`127.0.0.1:${randomInt(10_000, 30_000)}`);
        return server;
      } catch (error) {
        if (tries === 5 || !/in use/i.test(String(error))) throw error;
      }
    }
  }

  private async spawn(listen: string) {
    const child = spawn(BINARY, ["serve", "--simulate", "--listen", listen, "--data", this.data, ...this.flags], {
      // The key of secrets lies outside of the data, as it has to.
      env: { PATH: process.env.PATH, FLOWTRACE_SECRET_KEY_FILE: join(this.keys, "secret.key") },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child = child;
    let output = "";
    this.url = await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the server was not ready after 30 s:\n${output}`)), 30_000);
      const read = (chunk: Buffer) => {
        output += chunk.toString();
        const url = /ready at (http:\/\/\S+)/.exec(output)?.[1];
        if (!url) return;
        clearTimeout(timer);
        resolve(url);
      };
      child.stdout?.on("data", read);
      child.stderr?.on("data", read);
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(`the server ended with ${code}:\n${output}`)));
    });
  }

  /** As a power cut would. */
  async kill() {
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  /** The same data at the same address. */
  async restart() {
    await this.spawn(new URL(this.url).host);
  }

  async stop() {
    await this.kill();
    for (const directory of [this.data, this.keys]) await rm(directory, { recursive: true, force: true });
  }

  async post<T = Record<string, string>>(path: string, body: unknown = {}): Promise<T> {
    const response = await fetch(`${this.url}${path}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`POST ${path} answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as T;
  }

  async get<T>(path: string): Promise<T> {
    return (await (await fetch(`${this.url}${path}`)).json()) as T;
  }

  async workflow(name: string, graph_json: unknown): Promise<string> {
    return (await this.post("/api/workflows", { name, graph_json })).id as string;
  }

  /** Starts a run; with `wait` seconds it has ended when this returns. */
  async run(workflow: string, input_vars: Record<string, unknown> = {}, wait = 0): Promise<string> {
    return (await this.post(`/api/workflows/${workflow}/runs${wait ? `?wait=${wait}` : ""}`, { input_vars })).runId as string;
  }
}

/** A name that no other test of this server has, nor another try of the same test. */
export const unique = (name: string) => `${name} ${randomBytes(3).toString("hex")}`;

interface Problems {
  /** Fails the test at its end if the page threw, or broke its Content-Security-Policy. */
  problems: string[];
}

export const test = base.extend<Problems, { server: Server }>({
  server: [
    async ({}, use) => {
      const server = await Server.start();
      await use(server);
      await server.stop();
    },
    { scope: "worker" },
  ],
  problems: [
    async ({ context }, use) => {
      const problems: string[] = [];
      const watch = (page: Page) => {
        page.on("pageerror", (error) => problems.push(`${page.url()}: ${error.message}`));
        page.on("console", (message) => {
          if (/Content.Security.Policy|Refused to/i.test(message.text())) problems.push(`${page.url()}: ${message.text()}`);
        });
      };
      context.pages().forEach(watch);
      context.on("page", watch);
      await use(problems);
      expect(problems, "the pages threw nothing and kept to the Content-Security-Policy").toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };
