import { and, eq, isNotNull, lt, sql } from "drizzle-orm";
import { healthChecks, scheduleRuns } from "#schema";
import type { Schedule, ScheduleContext } from "./schedule.ts";

/** A queue that has brought no probe for so long is failing; three probes were sent in that time. */
const PROBE_OVERDUE_MS = 15 * 60 * 1000;

/** Stores how each dependency is, for `/ready` and for operators. */
export const healthCheck: Schedule = {
  name: "health_check",
  description: "Checks the database, the cache, the model service, the queue and Telegram.",
  cadence: { cron: "*/5 * * * *", clock: "utc" },
  missed: "skip",
  leaseSeconds: 60,
  retries: 0,
  async run(context) {
    const names = ["database", "cache", "ai_service", "telegram_api"] as const;
    const checks = await Promise.all(
      names.map(async (name) => ({ name, health: await context.dependencies[name]() })),
    );
    const checkedAt = context.now();
    await context.db
      .insert(healthChecks)
      .values(
        checks.map(({ name, health }) => ({
          name,
          status: health.status,
          latencyMs: health.latencyMs,
          detail: health.detail ?? null,
          checkedAt,
        })),
      )
      .onConflictDoUpdate({
        target: healthChecks.name,
        set: {
          status: sql`excluded.status`,
          latencyMs: sql`excluded.latency_ms`,
          detail: sql`excluded.detail`,
          checkedAt: sql`excluded.checked_at`,
        },
      });
    const queue = await checkQueue(context);
    return Object.fromEntries([
      ...checks.map(({ name, health }) => [name, health.status]),
      ["queue", queue],
    ]);
  },
};

/** Judges the queue by the last probe that it brought, and sends the next. The row's time is when that probe arrived. */
async function checkQueue(context: ScheduleContext): Promise<string> {
  const overdue = new Date(context.now().getTime() - PROBE_OVERDUE_MS);
  let sent = true;
  try {
    await context.sendProbe();
  } catch (error) {
    context.log.error("queue_probe_not_sent", { error });
    sent = false;
  }
  const [row] = await context.db.select().from(healthChecks).where(eq(healthChecks.name, "queue"));
  const late = row ? row.checkedAt < overdue : await hasBeenWaiting(context, overdue);
  if (sent && !late) return row?.status ?? "unknown";
  const detail = sent
    ? row
      ? `No probe has come through since ${row.checkedAt.toISOString()}.`
      : "No probe has ever come through."
    : "It does not take messages.";
  await context.db
    .insert(healthChecks)
    .values({ name: "queue", status: "failing", latencyMs: null, detail, checkedAt: context.now() })
    .onConflictDoUpdate({
      target: healthChecks.name,
      set: { status: "failing", detail },
      // A probe that has arrived meanwhile is right.
      setWhere: row ? eq(healthChecks.checkedAt, row.checkedAt) : undefined,
    });
  return "failing";
}

/** Whether an earlier run of this schedule sent a probe that should have come by now. */
async function hasBeenWaiting(context: ScheduleContext, overdue: Date): Promise<boolean> {
  const [earlier] = await context.db
    .select({ id: scheduleRuns.id })
    .from(scheduleRuns)
    .where(
      and(
        eq(scheduleRuns.name, "health_check"),
        isNotNull(scheduleRuns.startedAt),
        lt(scheduleRuns.startedAt, overdue),
      ),
    )
    .limit(1);
  return earlier !== undefined;
}
