import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createEditorStore, written } from "./store";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const start = () => createEditorStore({ document: { n: 0 }, source: null, unreadable: false });
const count = (store: ReturnType<typeof start>, n: number, about = "") => store.edit(() => ({ n }), about);
const n = (store: ReturnType<typeof start>) => store.getState().document.n;

it("undoes and redoes, and selecting is no step", () => {
  const store = start();
  for (let value = 1; value <= 25; value++) count(store, value);
  store.select(["a"]);
  for (let step = 0; step < 20; step++) store.undo();
  expect(n(store)).toBe(5);
  store.redo();
  expect(n(store)).toBe(6);
  count(store, 99);
  store.redo();
  expect(n(store)).toBe(99);
});

it("takes typing in one field for one step, until it rests or moves on", () => {
  const store = start();
  count(store, 1, "prompt");
  vi.advanceTimersByTime(100);
  count(store, 2, "prompt");
  vi.advanceTimersByTime(2_000);
  count(store, 3, "prompt");
  count(store, 4, "system");
  store.undo();
  expect(n(store)).toBe(3);
  store.undo();
  expect(n(store)).toBe(2);
  store.undo();
  expect(n(store)).toBe(0);
});

it("keeps the last document while the text is none, and lets nobody change it meanwhile", () => {
  const store = start();
  store.write('{"n": 1}');
  expect(n(store)).toBe(1);
  store.write('{"n": 2');
  expect(store.getState()).toMatchObject({ document: { n: 1 }, unreadable: true, source: '{"n": 2' });
  count(store, 7);
  expect(written(store.getState())).toBe('{"n": 2');
  store.write("[1]");
  expect(store.getState().unreadable).toBe(true);
  store.discardSource();
  expect(written(store.getState())).toBe('{\n  "n": 1\n}');
  store.undo();
  expect(written(store.getState())).toBe("[1]");
});
