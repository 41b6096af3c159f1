import { and, asc, eq, lt, sql } from "drizzle-orm";
import { scheduleRuns } from "#schema";
import type { Schedule, ScheduleContext } from "./schedule.ts";

/** A queued run whose message has not been taken by then has probably lost it. A second message does no harm. */
const MESSAGE_OVERDUE_MS = 20_000;
/** Messages that one run sends. */
const RUNS_PER_SWEEP = 100;

/** Finds runs that nobody works on: those whose message was lost, and those that died. */
export const resendQueuedRuns: Schedule = {
  name: "resend_queued_runs",
  description: "Starts runs whose message was lost, and ends or repeats those that died.",
  cadence: { cron: "* * * * *", clock: "utc" },
  missed: "skip",
  leaseSeconds: 60,
  retries: 0,
  async run(context) {
    const died = await endDeadRuns(context);
    const overdue = new Date(context.now().getTime() - MESSAGE_OVERDUE_MS);
    const queued = await context.db
      .select({ id: scheduleRuns.id })
      .from(scheduleRuns)
      .where(and(eq(scheduleRuns.state, "queued"), lt(scheduleRuns.createdAt, overdue)))
      .orderBy(asc(scheduleRuns.createdAt))
      .limit(RUNS_PER_SWEEP);
    for (const run of queued) await context.sendRun(run.id);
    return { died: died.length, sent: queued.length };
  },
};

/** Runs whose lease is over are dead. Where their schedule allows another attempt they wait for it, else they failed. */
async function endDeadRuns(context: ScheduleContext) {
  const now = context.now();
  const retries = sql`coalesce((${JSON.stringify(Object.fromEntries(context.retries))}::jsonb
    ->> ${scheduleRuns.name})::integer, 0)`;
  const again = sql`${scheduleRuns.attempts} <= ${retries}`;
  return context.db
    .update(scheduleRuns)
    .set({
      state: sql`CASE WHEN ${again} THEN 'queued' ELSE 'failed' END`,
      endedAt: sql`CASE WHEN ${again} THEN NULL ELSE ${now.toISOString()}::timestamptz END`,
      leaseUntil: null,
      error: "The run died before it ended.",
    })
    .where(and(eq(scheduleRuns.state, "running"), lt(scheduleRuns.leaseUntil, now)))
    .returning({ id: scheduleRuns.id });
}
