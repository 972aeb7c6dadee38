import { useId, useRef, useState, type ComponentProps, type ReactNode } from "react";
import { Input } from "./field";
import { Popup, popupKey } from "./popup";

export interface Choice {
  value: string;
  note?: ReactNode;
}

const SHOWN = 60;

/** A text field that offers what is known; anything else can be typed too. */
export function Combobox({
  choices,
  value,
  onChange,
  onPick,
  ...rest
}: { choices: readonly Choice[]; value: string; onChange: (text: string) => void; onPick?: (choice: Choice) => void } & Omit<ComponentProps<"input">, "value" | "onChange">) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [open, setOpen] = useState(false);
  // Everything is offered until something is typed.
  const [typed, setTyped] = useState(false);
  const [active, setActive] = useState(0);
  const words = typed ? value.toLowerCase().split(/\s+/).filter(Boolean) : [];
  const found = open ? choices.filter((choice) => words.every((word) => choice.value.toLowerCase().includes(word))).slice(0, SHOWN) : [];
  const current = Math.min(active, found.length - 1);
  const close = () => setOpen(false);
  const show = () => {
    setOpen(true);
    setTyped(false);
    setActive(Math.max(0, choices.findIndex((choice) => choice.value === value)));
  };
  const pick = (index: number) => {
    const choice = found[index];
    if (!choice) return;
    if (onPick) onPick(choice);
    else onChange(choice.value);
    close();
  };
  const shown = open && found.length > 0;
  return (
    <>
      <Input
        {...rest}
        ref={input}
        role="combobox"
        aria-autocomplete="list"
        aria-expanded={shown}
        aria-controls={shown ? id : undefined}
        aria-activedescendant={shown ? `${id}-${current}` : undefined}
        autoComplete="off"
        spellCheck={false}
        value={value}
        onClick={show}
        onBlur={close}
        onChange={(event) => {
          onChange(event.target.value);
          setOpen(true);
          setTyped(true);
          setActive(0);
        }}
        onKeyDown={(event) => {
          if (!shown) {
            if (event.key === "ArrowDown") {
              event.preventDefault();
              show();
            }
            return;
          }
          if (event.key === "Tab") close();
          else popupKey(event, found.length, current, setActive, pick, close);
        }}
      />
      {shown && (
        <Popup
          id={id}
          label={rest["aria-label"] ?? "Choices"}
          anchor={() => input.current?.getBoundingClientRect() ?? { left: 0, top: 0, bottom: 0 }}
          items={found.map(({ value: name, note }) => ({ key: name, label: name, note }))}
          active={current}
          onActive={setActive}
          onPick={pick}
        />
      )}
    </>
  );
}
