import { lt, sql } from "drizzle-orm";
import { healthChecks } from "#schema";
import type { Context } from "../kernel/context.ts";

/** A queue that takes longer is worth a sentence, though it works. */
const SLOW_MS = 60_000;

/** Stores that a probe came through the queue, and how long it took. */
export async function recordQueueProbe(
  context: Pick<Context, "db" | "now">,
  sentAt: number,
): Promise<void> {
  const now = context.now();
  const latencyMs = Math.max(0, now.getTime() - sentAt);
  const row = {
    name: "queue",
    status: "ok" as const,
    latencyMs,
    detail: latencyMs > SLOW_MS ? "Messages come through, but slowly." : null,
    checkedAt: now,
  };
  await context.db
    .insert(healthChecks)
    .values(row)
    .onConflictDoUpdate({
      target: healthChecks.name,
      set: row,
      setWhere: lt(healthChecks.checkedAt, sql`excluded.checked_at`),
    });
}
