import type { ComponentProps, ReactNode } from "react";
import { cx } from "./cx";

type Variant = "primary" | "plain" | "danger" | "ghost";

const looks: Record<Variant, string> = {
  primary: "bg-accent text-accent-text border-accent hover:brightness-110",
  plain: "bg-panel text-text border-line hover:bg-hover",
  danger: "bg-panel text-bad border-line hover:bg-bad-soft",
  ghost: "bg-transparent text-muted border-transparent hover:bg-hover hover:text-text",
};

/** The classes of a button, for links that look like one. */
export function buttonClass(variant: Variant = "plain", extra?: string): string {
  return cx(
    "inline-flex h-7 items-center justify-center gap-1.5 rounded border px-2.5 text-sm font-medium whitespace-nowrap select-none",
    "disabled:cursor-not-allowed disabled:opacity-55",
    looks[variant],
    extra,
  );
}

export interface ButtonProps extends ComponentProps<"button"> {
  variant?: Variant;
}

export function Button({ variant = "plain", className, type = "button", ...rest }: ButtonProps) {
  return <button type={type} className={buttonClass(variant, className)} {...rest} />;
}

/** A button that shows only an icon; `label` is its name. */
export function IconButton({ label, children, className, ...rest }: { label: string; children: ReactNode } & ComponentProps<"button">) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={cx(
        "inline-flex size-7 shrink-0 items-center justify-center rounded text-muted hover:bg-hover hover:text-text disabled:opacity-50",
        className,
      )}
      {...rest}
    >
      {children}
    </button>
  );
}
