import { deadLetters } from "#schema";
import type { Database } from "../kernel/context.ts";
import { sha256Hex } from "../kernel/digest.ts";

/** Characters of a body that are kept; queue messages have at most 128 KB. */
const BODY_LIMIT = 150_000;

export interface DeadLetter {
  /** What was in the queue: a message, or one record of it. */
  body: unknown;
  /** Why it could not be used. */
  reason: string;
}

/** Keeps what could not be used, for operators to look at. The same body is kept once. */
export async function keepDeadLetters(
  db: Database,
  queue: string,
  letters: readonly DeadLetter[],
): Promise<void> {
  if (letters.length === 0) return;
  const rows = await Promise.all(
    letters.map(async ({ body, reason }) => {
      const text = JSON.stringify(body) ?? "null"; // undefined has no JSON
      return {
        id: `${queue}:${await sha256Hex(text)}`,
        queue,
        reason: reason.slice(0, 500),
        body: text.slice(0, BODY_LIMIT).toWellFormed(),
      };
    }),
  );
  await db.insert(deadLetters).values(rows).onConflictDoNothing();
}
