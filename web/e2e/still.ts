import { expect, type Locator } from "@playwright/test";

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Milliseconds in which nothing moves: a graph is laid out by a worker, and fitted to the canvas a moment after that. */
const REST = 250;

async function boxesOf(locators: Locator[]): Promise<Box[]> {
  const boxes = await Promise.all(locators.map((locator) => locator.boundingBox()));
  return boxes.map((box, index) => {
    if (!box) throw new Error(`${String(locators[index])} is not on the screen`);
    return box;
  });
}

/** Where elements are once they have stopped moving. */
export async function still(...locators: Locator[]): Promise<Box[]> {
  let found: Box[] = [];
  await expect(async () => {
    const before = await boxesOf(locators);
    await new Promise((resolve) => setTimeout(resolve, REST));
    found = await boxesOf(locators);
    expect(found, "nothing moves any more").toEqual(before);
  }).toPass();
  return found;
}
