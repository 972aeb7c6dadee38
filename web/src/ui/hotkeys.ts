import { useEffect, useRef } from "react";

/** Whether keys go into a field or a dialog right now, so that a single letter is no command. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.closest("dialog[open]") !== null;
}

/** Keys of a page: the key's name, or `mod+k` for Ctrl or Cmd. A handler that returns `false` leaves the key to the browser. */
export type Hotkeys = Record<string, (event: KeyboardEvent) => void | false>;

export function useHotkeys(hotkeys: Hotkeys): void {
  const current = useRef(hotkeys);
  useEffect(() => {
    current.current = hotkeys;
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.altKey) return;
      const mod = event.ctrlKey || event.metaKey;
      const handler = current.current[mod ? `mod+${event.key.toLowerCase()}` : event.key];
      if (!handler || (!mod && isTyping(event.target))) return;
      if (handler(event) !== false) event.preventDefault();
    };
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, []);
}
