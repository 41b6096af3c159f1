/** Random bytes for many uses: asking the platform for a few at a time takes longer than all that is done with them. */
const pool = new Uint8Array(4_096);
let used = pool.length;

/** A cryptographically random byte that nobody else gets. */
export function randomByte(): number {
  if (used === pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  return pool[used++] ?? 0;
}
