/** A sentence in which names stand in `backticks`, as the server writes them; they become code. */
export function Words({ text }: { text: string }) {
  return text.split(/`([^`\n]+)`/).map((part, index) =>
    index % 2 === 1 ? (
      <code key={index} dir="auto" className="rounded-xs bg-raised px-1 font-mono text-[0.92em] text-text [overflow-wrap:anywhere]">
        {part}
      </code>
    ) : (
      part
    ),
  );
}
