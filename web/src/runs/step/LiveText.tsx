import { listenToAnswer } from "@/api/live";
import { useEffect, useRef } from "react";

/** An answer as it comes. Pieces go to the end of one text node; React never sees them. */
export function LiveText({ answer }: { answer: string }) {
  const box = useRef<HTMLPreElement>(null);
  useEffect(() => {
    const node = document.createTextNode("");
    box.current?.replaceChildren(node);
    return listenToAnswer(answer, (text, replace) => {
      if (replace) node.data = text;
      else node.appendData(text);
    });
  }, [answer]);
  return <pre ref={box} dir="auto" aria-live="off" aria-busy className="min-h-5 font-sans break-words whitespace-pre-wrap" />;
}
