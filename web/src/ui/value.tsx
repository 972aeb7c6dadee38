import { Button } from "./button";
import { CopyIcon } from "./copy";
import { bytes } from "./format";
import { Prose } from "./prose";
import { Download } from "lucide-react";
import { useMemo, useState } from "react";

/** Characters that are shown at once; more would make the page slow. */
const SHOWN = 64_000;

export function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value, null, 2) ?? "");
}

interface Props {
  value: unknown;
  name: string;
  size?: number | null;
  truncated?: boolean;
  /** As JSON, also where it is text. */
  raw?: boolean;
  /** Text is drawn as Markdown; what is copied and downloaded stays as it is. */
  markdown?: boolean;
}

/** Any value as text, never as markup. Large ones show their beginning and a download. */
export function Value({ value, name, size, truncated, raw, markdown }: Props) {
  const [all, setAll] = useState(false);
  const text = useMemo(() => (raw ? (JSON.stringify(value) ?? "") : textOf(value)), [value, raw]);
  const cut = text.length > SHOWN && !all;
  const shown = cut ? text.slice(0, SHOWN) : text;
  const isText = typeof value === "string" && !raw;
  return (
    <div className="relative pr-7">
      {text !== "" && <CopyIcon text={() => text} label={`Copy ${name}`} className="absolute -top-1 -right-1" />}
      {(cut || truncated) && (
        <p className="mb-2 flex flex-wrap items-center gap-2 text-muted">
          {truncated
            ? `The beginning of ${bytes(size)}: too large to be shown here.`
            : `The first ${bytes(SHOWN)} of ${bytes(size ?? text.length)}.`}
          {!truncated && text.length < 1_000_000 && <Button onClick={() => setAll(true)}>Show all</Button>}
          {!truncated && (
            <Button onClick={() => download(name, text, isText)}>
              <Download size={14} aria-hidden />
              Download
            </Button>
          )}
        </p>
      )}
      {markdown && isText && shown.length <= SHOWN ? (
        <Prose text={shown} />
      ) : (
        <pre
          dir="auto"
          className={isText ? "font-sans break-words whitespace-pre-wrap" : "overflow-x-auto font-mono text-xs leading-5 break-words whitespace-pre-wrap"}
        >
          {shown}
        </pre>
      )}
    </div>
  );
}

function download(name: string, text: string, isText: boolean) {
  const url = URL.createObjectURL(new Blob([text], { type: isText ? "text/plain" : "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `${name.replaceAll(/[^\w.-]+/g, "_")}.${isText ? "txt" : "json"}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
