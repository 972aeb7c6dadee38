/** Milliseconds that what had the focus may take to leave the page: a decision has to reach the server first. */
const MOST_MS = 10_000;

/** Where what has the focus leaves the page, the focus goes on to the first of these that is there, and not to nowhere. */
export function passFocusTo(...selectors: string[]): void {
  const left = document.activeElement;
  const until = performance.now() + MOST_MS;
  const look = () => {
    const now = document.activeElement;
    if (now !== null && now !== document.body) {
      // Somebody went on alone where it is another one.
      if (now === left && performance.now() < until) requestAnimationFrame(look);
      return;
    }
    const next = selectors.map((selector) => document.querySelector<HTMLElement>(selector)).find((element) => element !== null);
    next?.focus({ preventScroll: true });
  };
  requestAnimationFrame(look);
}

/** Where the focus goes when what a row opened is closed: to that row. To be asked before it closes. */
export function rowsOfOpened(): string[] {
  const row = document.querySelector<HTMLElement>('[data-row]:is([aria-current="true"], [aria-selected="true"])')?.dataset.row;
  return [...(row === undefined ? [] : [`[data-row="${row}"]`]), '[data-row][tabindex="0"]'];
}
