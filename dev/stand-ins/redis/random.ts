import { fail } from "./reply.ts";

/** A script or a client could otherwise ask for an answer of any size. */
const MAX_PICKS = 1_000_000;

/** Up to `count` different items, in random order. */
export function pickDistinct<Item>(items: readonly Item[], count: number): Item[] {
  const left = [...items];
  const picks = Math.min(count, left.length);
  for (let index = 0; index < picks; index += 1) {
    const other = index + Math.floor(Math.random() * (left.length - index));
    // Both indexes are inside the array.
    [left[index], left[other]] = [left[other] as Item, left[index] as Item];
  }
  return left.slice(0, picks);
}

/** Exactly `count` items, where one may come again. */
export function pickAny<Item>(items: readonly Item[], count: number): Item[] {
  if (count > MAX_PICKS) fail("ERR value is out of range");
  if (items.length === 0) return [];
  return Array.from(
    { length: count },
    () => items[Math.floor(Math.random() * items.length)] as Item,
  ); // inside the array
}
