/** Hits of the response cache among the requests that asked it, from 0 to 1; null where none did. */
export function hitRatio(counts: { cached: number; cacheMisses: number }): number | null {
  const asked = counts.cached + counts.cacheMisses;
  return asked === 0 ? null : counts.cached / asked;
}
