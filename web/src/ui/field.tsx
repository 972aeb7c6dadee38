import { useId, type ComponentProps, type ReactNode } from "react";
import { cx } from "./cx";

const box = "w-full rounded border border-line-strong bg-panel px-2 text-sm text-text placeholder:text-muted aria-invalid:border-bad";

/** A label, a control and what is wrong with it. The control gets the ids that tie them together. */
export function Field({
  label,
  hint,
  error,
  children,
}: {
  label: string;
  hint?: ReactNode;
  error?: string;
  children: (ids: { id: string; "aria-describedby": string | undefined; "aria-invalid": boolean | undefined }) => ReactNode;
}) {
  const id = useId();
  const described = error || hint ? `${id}-note` : undefined;
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="font-medium">
        {label}
      </label>
      {children({ id, "aria-describedby": described, "aria-invalid": error ? true : undefined })}
      {described && (
        <p id={described} className={cx("text-xs", error ? "text-bad" : "text-muted")}>
          {error ?? hint}
        </p>
      )}
    </div>
  );
}

export function Input({ className, ...rest }: ComponentProps<"input">) {
  return <input className={cx(box, "h-7", className)} {...rest} />;
}

export function TextArea({ className, ...rest }: ComponentProps<"textarea">) {
  return <textarea className={cx(box, "py-1 font-mono leading-5", className)} {...rest} />;
}

export function Select({ className, ...rest }: ComponentProps<"select">) {
  return <select className={cx(box, "h-7 pr-1", className)} {...rest} />;
}
