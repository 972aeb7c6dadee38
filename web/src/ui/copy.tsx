import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { Button, IconButton, type ButtonProps } from "./button";
import { cx } from "./cx";
import { shortId } from "./format";

/** Copies text; says so for a moment. `fallback` covers pages that are not served over a secure origin. */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

function useCopied(): [boolean, (text: string) => void] {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [copied]);
  return [copied, (text) => void copyText(text).then(() => setCopied(true))];
}

/** An id that is copied by a click. */
export function CopyId({ id, label, className }: { id: string; label: string; className?: string }) {
  const [copied, copy] = useCopied();
  return (
    <button
      type="button"
      title={`${id}: click to copy`}
      aria-label={`Copy ${label} ${id}`}
      onClick={() => copy(id)}
      className={cx("num inline-flex items-center gap-1 rounded font-mono text-xs text-muted hover:text-text", className)}
    >
      {shortId(id)}
      {copied ? <Check size={12} className="text-ok" aria-hidden /> : <Copy size={12} aria-hidden />}
      <span role="status" className="sr-only">
        {copied ? "Copied" : ""}
      </span>
    </button>
  );
}

/** The same as an icon, for corners. */
export function CopyIcon({ text, label, className }: { text: () => string; label: string; className?: string }) {
  const [copied, copy] = useCopied();
  return (
    <>
      <IconButton label={label} onClick={() => copy(text())} className={className}>
        {copied ? <Check size={13} className="text-ok" aria-hidden /> : <Copy size={13} aria-hidden />}
      </IconButton>
      <span role="status" className="sr-only">
        {copied ? "Copied" : ""}
      </span>
    </>
  );
}

/** A line to be pasted elsewhere. */
export function CopyLine({ line }: { line: string }) {
  return (
    <span className="flex w-full items-center justify-center gap-1">
      <code className="min-w-0 rounded border border-line bg-raised px-2 py-1 text-left font-mono text-xs break-all select-all">{line}</code>
      <CopyIcon text={() => line} label="Copy the line" />
    </span>
  );
}

/** A button that copies what `text` gives when it is clicked. */
export function CopyButton({ text, variant = "ghost", children }: { text: () => string; variant?: ButtonProps["variant"]; children: string }) {
  const [copied, copy] = useCopied();
  return (
    <>
      <Button variant={variant} onClick={() => copy(text())}>
        {copied ? <Check size={14} className="text-ok" aria-hidden /> : <Copy size={14} aria-hidden />}
        {copied ? "Copied" : children}
      </Button>
      {/* Beside the button: what is in a live region would not be part of its name. */}
      <span role="status" className="sr-only">
        {copied ? "Copied" : ""}
      </span>
    </>
  );
}
