/** How much one number is over or under another, as text: `+1.20 s (+40%)`, `the same`. */
export function delta(a: number | null | undefined, b: number | null | undefined, format: (value: number) => string): { text: string; sign: -1 | 0 | 1 } | null {
  if (a == null || b == null) return null;
  const by = b - a;
  if (by === 0) return { text: "the same", sign: 0 };
  const share = a === 0 ? "" : ` (${by > 0 ? "+" : "−"}${percent(Math.abs(by / a))})`;
  return { text: `${by > 0 ? "+" : "−"}${format(Math.abs(by))}${share}`, sign: by > 0 ? 1 : -1 };
}

function percent(share: number): string {
  const percents = share * 100;
  return `${percents < 10 ? percents.toFixed(1).replace(/\.0$/, "") : percents.toFixed(0)}%`;
}
