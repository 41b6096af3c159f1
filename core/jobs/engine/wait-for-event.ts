import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Database } from "../../kernel/context.ts";
import { rowsOf } from "../../kernel/sql-rows.ts";
import type { Json } from "../job-type.ts";
import type { AskedStep, StepRunner } from "./step-runner.ts";
import { wakeAfter } from "./step-runner.ts";

const takenRow = z.object({ payload: z.string() });
const dueRow = z.object({ due: z.boolean() });

/**
 * Takes the first event of this name that no step has taken, or waits for one. The job's row is held meanwhile, as it
 * is by whoever sends one: so none comes between the look and the wait.
 */
export async function waitForEvent(
  runner: StepRunner,
  asked: AskedStep,
  { event, timeoutMs }: { event: string; timeoutMs: number },
): Promise<Json> {
  const { context, lease, stop } = runner.parts;
  const { position, name, kind } = asked;
  const waitingFor = `event:${event}`;
  const outcome = await runner.ours(async () => {
    await lease.flush();
    return context.transaction(async ({ db }) => {
      await lease.lock(db);
      const payload =
        (await takeEvent(db, lease.job.id, event, position)) ??
        (asked.kept && (await isOver(db, lease.job.id, position)) ? "null" : null);
      if (payload === null) {
        const step = { position, name, kind, kept: null, count: 0, elapsedMs: 0 };
        const wakeAt = asked.kept ? keptWakeAt(lease.job.id, position) : wakeAfter(timeoutMs);
        const wait = { waitingFor, wakeAt, step: asked.kept ? null : step };
        return { payload, seconds: await lease.park(db, wait) };
      }
      const done = { position, state: "done" as const, kept: payload, count: 0 };
      if (asked.kept) await lease.updateStep(db, done, 0);
      else await lease.addStep(db, { ...done, name, kind, elapsedMs: 0 });
      return { payload, seconds: null };
    });
  });
  if (outcome.payload === null)
    return stop.halt({ kind: "parked", waitingFor, seconds: outcome.seconds });
  runner.committed();
  return JSON.parse(outcome.payload) as Json; // stored from one
}

async function takeEvent(
  db: Database,
  jobId: string,
  event: string,
  position: number,
): Promise<string | null> {
  const rows = await db.execute(sql`
    UPDATE job_events SET taken_by = ${position}
    WHERE job_id = ${jobId} AND number = (
      SELECT min(number) FROM job_events WHERE job_id = ${jobId} AND name = ${event} AND taken_by IS NULL
    )
    RETURNING coalesce(payload, 'null')::text AS payload`);
  return rowsOf(takenRow, rows)[0]?.payload ?? null;
}

async function isOver(db: Database, jobId: string, position: number): Promise<boolean> {
  const rows = await db.execute(sql`
    SELECT wake_at <= now() AS due FROM job_steps WHERE job_id = ${jobId} AND position = ${position}`);
  return rowsOf(dueRow, rows)[0]?.due === true;
}

function keptWakeAt(jobId: string, position: number) {
  return sql`(SELECT wake_at FROM job_steps WHERE job_id = ${jobId} AND position = ${position})`;
}
