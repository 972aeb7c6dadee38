import { useEffect, useRef, useState, type RefObject } from "react";
import { Input } from "./field";

/** Milliseconds after the last letter: each question goes to the server. */
const PAUSE_MS = 300;
const MOST_SAID = 20;

/**
 * A field whose text counts when the typing rests, and that follows when it is changed from elsewhere. It keeps its text itself: the
 * URL follows a moment later, and a field that waits for it puts the caret at its end.
 */
export function TypedInput({
  ref,
  value,
  pause = PAUSE_MS,
  onChange,
  ...rest
}: {
  ref?: RefObject<HTMLInputElement | null>;
  value: string | undefined;
  /** Milliseconds; none where nobody has to be asked. */
  pause?: number;
  onChange: (value: string | undefined) => void;
  "aria-label": string;
  placeholder?: string;
  className?: string;
  inputMode?: "decimal" | "numeric";
  disabled?: boolean;
  "aria-invalid"?: boolean;
}) {
  const [text, setText] = useState(value ?? "");
  const [before, setBefore] = useState(value);
  /** What was said and has not come back yet. */
  const [said, setSaid] = useState<readonly (string | undefined)[]>([]);
  if (value !== before) {
    setBefore(value);
    const own = said.lastIndexOf(value);
    setSaid(said.slice(own + 1));
    // Changed from elsewhere: a saved filter, a chip, or the way back. What comes back late must not take away what was typed since.
    if (own < 0) setText(value ?? "");
  }
  const say = useRef(onChange);
  useEffect(() => {
    say.current = onChange;
  });
  useEffect(() => {
    const word = text.trim() || undefined;
    if (word === value) return;
    const timer = setTimeout(() => {
      setSaid((old) => [...old.slice(-MOST_SAID), word]);
      say.current(word);
    }, pause);
    return () => clearTimeout(timer);
  }, [text, value, pause]);
  return (
    <Input
      ref={ref}
      type="search"
      value={text}
      maxLength={1000}
      onChange={(event) => setText(event.target.value)}
      onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
      {...rest}
    />
  );
}
