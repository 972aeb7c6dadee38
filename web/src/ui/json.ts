/** What was typed as JSON, or where it stops being JSON. */
export function parseJson(text: string): { value: unknown; error?: undefined } | { error: string } {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const place = /position (\d+)/.exec(message)?.[1];
    if (place === undefined) return { error: text.trim() === "" ? "A value is missing. For nothing, write null." : message };
    const before = text.slice(0, Number(place)).split("\n");
    return { error: `Line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}: ${message.replace(/ in JSON at position .*$/, "")}` };
  }
}

export function prettyJson(value: unknown): string {
  return JSON.stringify(value, null, 2) ?? "";
}
