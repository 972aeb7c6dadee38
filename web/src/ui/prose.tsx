import { lazy, Suspense } from "react";

function Plain({ text }: { text: string }) {
  return (
    <pre dir="auto" className="font-sans break-words whitespace-pre-wrap">
      {text}
    </pre>
  );
}

// Where the part cannot be loaded, the text can still be read.
const Markdown = lazy(() => import("./markdown").catch(() => ({ default: Plain })));

/** Text of a model, drawn as the Markdown that it most likely is. */
export function Prose({ text }: { text: string }) {
  return (
    <Suspense fallback={<Plain text={text} />}>
      <Markdown text={text} />
    </Suspense>
  );
}
