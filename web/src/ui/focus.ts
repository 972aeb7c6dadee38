/** As long as this what had the focus may take to leave the page: a decision has to reach the server first. */
const FRAMES = 90;

/** Where what has the focus leaves the page, the focus goes on to the first of these that is there, and not to nowhere. */
export function passFocusTo(...selectors: string[]): void {
  let left = FRAMES;
  const look = () => {
    if (document.activeElement !== null && document.activeElement !== document.body) {
      if (left-- > 0) requestAnimationFrame(look);
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
