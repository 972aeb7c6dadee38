import { Input } from "@/ui/field";
import { useEffect, useRef, useState, type RefObject } from "react";

/** Milliseconds after the last letter: each question goes to the server. */
const PAUSE_MS = 300;

/** A field whose text counts when the typing rests, and that follows when it is changed from elsewhere. */
export function TypedInput({
  ref,
  value,
  onChange,
  ...rest
}: {
  ref?: RefObject<HTMLInputElement | null>;
  value: string | undefined;
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
  // Changed from elsewhere: a saved filter, a chip, or the way back.
  if (value !== before) {
    setBefore(value);
    if ((value ?? "") !== text.trim()) setText(value ?? "");
  }
  const say = useRef(onChange);
  useEffect(() => {
    say.current = onChange;
  });
  useEffect(() => {
    const word = text.trim() || undefined;
    if (word === value) return;
    const timer = setTimeout(() => say.current(word), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text, value]);
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
