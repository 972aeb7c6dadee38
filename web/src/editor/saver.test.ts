import { api } from "@/api/client";
import { ApiProblem } from "@/api/problem";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Saver } from "./saver";

/** A server with one workflow. */
function server() {
  let state = { version: 1, published: { n: 0 } as unknown, draft: null as string | null, at: 0 };
  const etag = () => (state.draft === null ? `"${state.version}"` : `"${state.version}-${state.at}"`);
  const match = (given: string) => {
    if (given !== etag()) throw new ApiProblem(412, "draft_conflict", "changed");
  };
  let down = false;
  const reach = () => {
    if (down) throw ApiProblem.unreachable();
  };
  vi.spyOn(api, "putDraft").mockImplementation(async (_id, text, given) => {
    reach();
    match(given);
    state = { ...state, draft: text as string, at: state.at + 1 };
    return { etag: etag() } as never;
  });
  vi.spyOn(api, "deleteDraft").mockImplementation(async (_id, given) => {
    reach();
    match(given);
    state.draft = null;
    return undefined as never;
  });
  vi.spyOn(api, "publish").mockImplementation(async (_id, text, given) => {
    reach();
    match(given);
    state = { version: state.version + 1, published: JSON.parse(text as string), draft: null, at: state.at };
    return { version: state.version } as never;
  });
  vi.spyOn(api, "workflow").mockImplementation(async () => (reach(), { version: state.version, graph_json: state.published, name: "W", description: null, draft_updated_at: state.draft === null ? null : "2026-01-01T00:00:00Z" }) as never);
  vi.spyOn(api, "draft").mockImplementation(async () => (state.draft === null ? null : { version: state.version, etag: etag(), graph_json: state.draft }) as never);
  return {
    get state() {
      return state;
    },
    etag,
    elsewhere: (draft: string) => (state = { ...state, draft, at: state.at + 1 }),
    newVersion: (published: unknown) => (state = { version: state.version + 1, published, draft: null, at: state.at }),
    down: (is: boolean) => (down = is),
  };
}

const text = (n: number) => JSON.stringify({ n }, null, 2);
const saver = () => new Saver("w", { etag: '"1"', version: 1, published: text(0), draft: null });

const kept = new Map<string, string>();
beforeEach(() => {
  vi.useFakeTimers();
  kept.clear();
  vi.stubGlobal("localStorage", { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => kept.set(key, value), removeItem: (key: string) => kept.delete(key) });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

it("saves what rests, once, and publishes it", async () => {
  const there = server();
  const mine = saver();
  for (const n of [1, 2, 3]) mine.change(text(n));
  expect(mine.state.is).toBe("pending");
  await vi.runAllTimersAsync();
  expect(api.putDraft).toHaveBeenCalledTimes(1);
  expect([there.state.draft, mine.state.is, kept.size]).toEqual([text(3), "saved", 0]);
  expect(await mine.publish()).toBe(2);
  expect([there.state.version, there.state.draft, mine.unpublished]).toEqual([2, null, false]);
});

it("what is changed while a request is under way goes with the next one", async () => {
  const there = server();
  const mine = saver();
  mine.change(text(1));
  const flushed = mine.flush();
  mine.change(text(2));
  await flushed;
  await vi.runAllTimersAsync();
  expect([there.state.draft, mine.state.is]).toEqual([text(2), "saved"]);
});

it("going back to what is published ends the draft", async () => {
  const there = server();
  const mine = saver();
  mine.change(text(1));
  await vi.runAllTimersAsync();
  mine.change(text(0));
  await vi.runAllTimersAsync();
  expect([there.state.draft, mine.state.is]).toEqual([null, "saved"]);
});

it("keeps what the server does not take, and sends it when it is back", async () => {
  const there = server();
  const mine = saver();
  there.down(true);
  mine.change(text(1));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(mine.state.is).toBe("failed");
  expect(saver().recall()).toEqual({ text: text(1), current: true });
  there.down(false);
  await vi.runAllTimersAsync();
  expect([there.state.draft, mine.state.is, saver().recall()]).toEqual([text(1), "saved", null]);
});

it("never saves over what somebody else left: it asks", async () => {
  const there = server();
  const mine = saver();
  there.elsewhere(text(8));
  mine.change(text(1));
  await vi.runAllTimersAsync();
  expect(mine.state).toMatchObject({ is: "conflict", mine: text(1), theirs: { draft: text(8) } });
  mine.change(text(2));
  await vi.runAllTimersAsync();
  expect(there.state.draft).toBe(text(8));
  await expect(mine.publish()).rejects.toThrow("choose which one");
  mine.resolve(text(2));
  await vi.runAllTimersAsync();
  expect([there.state.draft, mine.state.is]).toEqual([text(2), "saved"]);
});

it("taking theirs leaves theirs", async () => {
  const there = server();
  const mine = saver();
  there.newVersion({ n: 8 });
  mine.change(text(1));
  await vi.runAllTimersAsync();
  expect(mine.state.is).toBe("conflict");
  mine.resolve(text(8));
  await vi.runAllTimersAsync();
  expect([there.state.draft, mine.state.is, mine.unpublished, there.state.version]).toEqual([null, "saved", false, 2]);
});

it("takes over what others left while nothing of ours is open, and nothing else", async () => {
  const there = server();
  const mine = saver();
  expect(await mine.refresh()).toBeNull();
  there.elsewhere(text(8));
  expect(await mine.refresh()).toBe(text(8));
  mine.change(text(9));
  await vi.runAllTimersAsync();
  expect([there.state.draft, mine.state.is]).toEqual([text(9), "saved"]);
  there.elsewhere(text(10));
  mine.change(text(11));
  expect(await mine.refresh()).toBeNull();
  await vi.runAllTimersAsync();
  expect(mine.state.is).toBe("conflict");
  expect(await mine.refresh()).toBeNull();
});

it("asks nobody where both did the same, or where only the name changed", async () => {
  const there = server();
  const same = saver();
  there.elsewhere('{"n":1}');
  same.change(text(1));
  await vi.runAllTimersAsync();
  expect(same.state.is).toBe("saved");

  const renamed = new Saver("w", { etag: there.etag(), version: 1, published: text(0), draft: '{"n":1}' });
  there.newVersion({ n: 0 });
  there.elsewhere('{"n":1}');
  renamed.change(text(5));
  await vi.runAllTimersAsync();
  expect([renamed.state.is, there.state.draft]).toEqual(["saved", text(5)]);
});
