/** What was typed as a score: a number, yes or no, or a word. `null` for nothing. */
export function scoreValue(text: string): number | boolean | string | null {
  const word = text.trim();
  if (word === "") return null;
  if (/^(yes|true)$/i.test(word)) return true;
  if (/^(no|false)$/i.test(word)) return false;
  const number = Number(word);
  return Number.isFinite(number) ? number : word;
}
