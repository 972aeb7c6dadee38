import { api } from "@/api/client";
import { writeJson } from "@/api/lossless";
import { ApiProblem, messageOf } from "@/api/problem";
import type { ProblemItem } from "@/api/types";
import { same } from "./pointer";
import { readText } from "./store";

/** What the server has: its newest version, and the draft on top of it. */
export interface Saved {
  /** For `If-Match`. */
  etag: string;
  version: number;
  /** The document of the version, as text. */
  published: string;
  /** The draft's text; `null` if there is none. */
  draft: string | null;
}

export type SaveState =
  | { is: "saved" }
  | { is: "pending" }
  | { is: "saving" }
  | { is: "failed"; message: string }
  | { is: "conflict"; mine: string; theirs: Saved };

const DEBOUNCE_MS = 500;
const RETRY_MS = 2_000;

/** Whether two texts are the same document, or the same text. */
export function sameText(a: string, b: string): boolean {
  if (a === b) return true;
  const [left, right] = [readText(a), readText(b)];
  return left !== null && right !== null && same(left, right);
}

export async function readSaved(id: string, signal?: AbortSignal): Promise<Saved & { name: string; description: string | null }> {
  const workflow = await api.workflow(id, signal);
  // Asked only for one that is there: an answer of 404 is an error to whoever looks at the browser's console.
  const draft = workflow.draft_updated_at == null ? null : await api.draft(id, signal);
  const asText = (graph: unknown) => (typeof graph === "string" ? graph : writeJson(graph, 2));
  return {
    etag: draft && draft.version === workflow.version ? draft.etag : `"${workflow.version}"`,
    version: workflow.version,
    published: asText(workflow.graph_json),
    draft: draft && asText(draft.graph_json),
    name: workflow.name,
    description: workflow.description,
  };
}

/**
 * Keeps what is edited on the server as a draft, one request at a time, each for the state that was read last. What could not
 * be sent yet waits in the browser's storage, so that closing the page loses nothing.
 */
export class Saver {
  state: SaveState = { is: "saved" };
  private text: string;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running: Promise<void> | undefined;
  private readonly listeners = new Set<() => void>();

  constructor(
    readonly id: string,
    public saved: Saved,
  ) {
    this.text = saved.draft ?? saved.published;
  }

  subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
  snapshot = () => this.state;

  private become(state: SaveState) {
    this.state = state;
    for (const listener of this.listeners) listener();
  }

  /** What is on the server, as text. */
  private get there(): string {
    return this.saved.draft ?? this.saved.published;
  }

  /** The text to keep from now on. */
  change(text: string) {
    this.text = text;
    if (this.state.is === "conflict") return;
    if (this.running === undefined && text === this.there) {
      clearTimeout(this.timer);
      this.forget();
      this.become({ is: "saved" });
      return;
    }
    this.become({ is: this.running ? "saving" : "pending" });
    this.schedule(DEBOUNCE_MS);
  }

  private schedule(ms: number) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.step(), ms);
  }

  /** Saves now what is not saved yet. Afterwards everything is saved, or `state` says why not. */
  async flush(): Promise<void> {
    do await this.step();
    while (this.text !== this.there && (this.state.is === "saving" || this.state.is === "pending"));
  }

  private async step(): Promise<void> {
    clearTimeout(this.timer);
    while (this.running) await this.running;
    if (this.state.is === "conflict" || this.text === this.there) return;
    this.running = this.send(this.text).finally(() => (this.running = undefined));
    await this.running;
  }

  private async send(text: string): Promise<void> {
    this.become({ is: "saving" });
    this.remember();
    try {
      if (sameText(text, this.saved.published)) {
        // Nothing is left of the draft.
        if (this.saved.draft !== null) await api.deleteDraft(this.id, this.saved.etag);
        this.saved = { ...this.saved, etag: `"${this.saved.version}"`, draft: null };
        this.saved.published = text;
      } else {
        const { etag } = await api.putDraft(this.id, text, this.saved.etag);
        this.saved = { ...this.saved, etag, draft: text };
      }
      if (this.text === text) {
        this.forget();
        this.become({ is: "saved" });
      }
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 412) await this.compare(text);
      else {
        this.become({ is: "failed", message: messageOf(error) });
        this.schedule(RETRY_MS);
      }
    }
  }

  /** Somebody else was there. Where they left the same behind, nobody has to choose. */
  private async compare(text: string): Promise<void> {
    try {
      const theirs = await readSaved(this.id);
      const there = theirs.draft ?? theirs.published;
      const before = this.there;
      this.saved = theirs;
      if (sameText(there, text)) {
        if (theirs.draft === null) this.saved.published = text;
        else this.saved.draft = text;
        this.become(this.text === text ? { is: "saved" } : { is: "saving" });
      } else if (sameText(there, before)) {
        // Only the name changed, or the version without the document: ours goes on top.
        this.become({ is: "pending" });
        this.schedule(0);
      } else this.become({ is: "conflict", mine: this.text, theirs });
    } catch (error) {
      this.become({ is: "failed", message: messageOf(error) });
      this.schedule(RETRY_MS);
    }
  }

  /** Ends a conflict: with this text, over what the others left. */
  resolve(text: string) {
    if (this.state.is !== "conflict") return;
    this.text = text;
    this.become({ is: "saved" });
    this.change(text);
    if (this.text !== this.there) this.schedule(0);
  }

  /** Makes a version of what is edited. Throws what the server refuses. */
  async publish(): Promise<number> {
    await this.flush();
    const state = this.state as SaveState;
    if (state.is === "failed") throw new Error(state.message);
    if (state.is === "conflict") throw new Error("Somebody else changed this workflow: choose which one to keep first.");
    const text = this.text;
    try {
      const { version } = await api.publish(this.id, text, this.saved.etag);
      this.saved = { etag: `"${version}"`, version, published: text, draft: null };
      this.change(this.text);
      return version;
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 412) await this.compare(text);
      throw error;
    }
  }

  /** Gives the workflow another name, which makes a version of the same document. The draft stays on top of it. */
  async rename(name: string): Promise<void> {
    await this.flush();
    const { version } = await api.renameWorkflow(this.id, name, this.saved.etag);
    this.saved = { ...this.saved, version, etag: this.saved.etag.replace(/^"\d+/, `"${version}`) };
    this.change(this.text);
  }

  get unpublished(): boolean {
    return !sameText(this.text, this.saved.published);
  }

  /** Where nothing of ours is open: what others left meanwhile, if it is something else. */
  async refresh(): Promise<string | null> {
    if (this.state.is !== "saved" || this.running || this.text !== this.there) return null;
    const [before, etag] = [this.text, this.saved.etag];
    const now = await readSaved(this.id).catch(() => null);
    // Somebody typed while it was read: then saving compares.
    if (!now || now.etag === etag || this.saved.etag !== etag || this.text !== before || (this.state as SaveState).is !== "saved") return null;
    this.saved = now;
    if (sameText(this.there, before)) {
      if (now.draft === null) this.saved.published = before;
      else this.saved.draft = before;
      this.become({ is: "saved" });
      return null;
    }
    this.text = this.there;
    this.become({ is: "saved" });
    return this.text;
  }

  /** The page is left: what is not saved is remembered here and sent right away. */
  leave() {
    clearTimeout(this.timer);
    this.remember();
    if (this.state.is !== "conflict") void this.flush();
  }

  private get place() {
    return `flowtrace.unsaved.${this.id}`;
  }

  /** Keeps what is not saved yet with the state that it was made for. */
  remember() {
    if (this.text === this.there) return;
    try {
      localStorage.setItem(this.place, JSON.stringify({ etag: this.saved.etag, text: this.text }));
    } catch {
      // Full or blocked: then it is only on this page until the server has it.
    }
  }

  private forget() {
    try {
      localStorage.removeItem(this.place);
    } catch {
      // Blocked.
    }
  }

  /** What an earlier page could not save; `current` tells whether it was made for what the server has now. */
  recall(): { text: string; current: boolean } | null {
    try {
      const kept = JSON.parse(localStorage.getItem(this.place) ?? "null") as { etag: string; text: string } | null;
      if (!kept || typeof kept.text !== "string" || sameText(kept.text, this.there)) return null;
      return { text: kept.text, current: kept.etag === this.saved.etag };
    } catch {
      return null;
    }
  }

  /** Text that was made for another state than the one on the server. */
  disagree(mine: string) {
    this.text = mine;
    this.become({ is: "conflict", mine, theirs: this.saved });
  }
}

/** Typing rests this long before the server is asked. */
const CHECK_MS = 120;

/** Asks the server what is wrong with a text, and tells only the answer about the newest one. */
export class Checker {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asked: AbortController | undefined;

  constructor(private readonly tell: (problems: ProblemItem[] | null, warnings: ProblemItem[], text: string) => void) {}

  check(text: string, wait = CHECK_MS) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.ask(text), wait);
  }

  private async ask(text: string) {
    this.asked?.abort();
    const asked = (this.asked = new AbortController());
    try {
      const { problems, warnings } = await api.validate(text, asked.signal);
      if (!asked.signal.aborted) this.tell(problems, warnings, text);
    } catch {
      if (asked.signal.aborted) return;
      this.tell(null, [], text);
      this.check(text, RETRY_MS);
    }
  }

  close() {
    clearTimeout(this.timer);
    this.asked?.abort();
  }
}
