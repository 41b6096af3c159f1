import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Context } from "../../kernel/context.ts";
import { rowsOf } from "../../kernel/sql-rows.ts";
import { afterEnd, cancelJobs, tellCancelled, wakeParent } from "../after-end.ts";
import { dispatchJobs } from "../dispatch/dispatch-jobs.ts";
import { MESSAGE_OVERDUE_SECONDS } from "../job-settings.ts";
import { dispatchPartsOf, type JobEngine } from "./job-engine.ts";
import { recoverJobs } from "./recover-jobs.ts";

/** Things of one kind that one sweep sees to. */
const AT_ONCE = 500;

const idRow = z.object({ id: z.string() });

export interface Sweep {
  recovered: number;
  sent: number;
  woken: number;
  cancelled: number;
  admitted: number;
}

/**
 * Sees to everything that a process which died, or a message that was lost, has left: jobs whose lease is over, messages
 * that nobody took, parents that nobody woke, children that nobody cancelled, times that have come. Runs each minute; two
 * at once do no harm.
 */
export async function sweepJobs(engine: JobEngine, context: Context): Promise<Sweep> {
  const recovered = await recoverJobs(engine, context);
  await releaseTeamsOff(context);
  const sent = await sendAgain(engine, context);
  const woken = await wakeParents(context);
  const cancelled = await cancelOrphans(engine, context);
  const admitted = await dispatchJobs(context, dispatchPartsOf(engine), { thorough: true });
  return { recovered, sent, woken, cancelled, admitted };
}

/** Messages that nobody has taken. Nothing is prolonged by it but the time until the next look. */
async function sendAgain({ queue }: JobEngine, { db }: Context): Promise<number> {
  const rows = await db.execute(sql`
    WITH overdue AS (
      SELECT id FROM jobs WHERE slot AND lease_until IS NULL AND message_due_at < now()
      ORDER BY message_due_at LIMIT ${AT_ONCE} FOR UPDATE SKIP LOCKED
    )
    UPDATE jobs SET message_due_at = now() + make_interval(secs => ${MESSAGE_OVERDUE_SECONDS})
    FROM overdue WHERE jobs.id = overdue.id RETURNING jobs.id`);
  const ids = rowsOf(idRow, rows).map(({ id }) => id);
  if (ids.length > 0) await queue.send(ids);
  return ids.length;
}

/** Jobs of a team that was switched off after they were let in hold no capacity while they wait for it. */
async function releaseTeamsOff({ db }: Context): Promise<void> {
  await db.execute(sql`
    UPDATE jobs SET slot = false, message_due_at = NULL, state = 'queued', waiting_for = 'team_off', updated_at = now()
    WHERE slot AND lease_until IS NULL AND EXISTS (SELECT 1 FROM switchboard WHERE jobs.team_id = ANY (teams_off))`);
}

async function wakeParents(context: Context): Promise<number> {
  const rows = await context.db.execute(sql`
    SELECT id FROM jobs WHERE state = 'scheduled' AND waiting_for = 'children' AND NOT EXISTS (
      SELECT 1 FROM jobs AS child
      WHERE child.parent_id = jobs.id AND child.state NOT IN ('succeeded', 'failed', 'cancelled')
    ) LIMIT ${AT_ONCE}`);
  const parents = rowsOf(idRow, rows);
  for (const { id } of parents) await wakeParent(context, id);
  return parents.length;
}

async function cancelOrphans({ feed }: JobEngine, context: Context): Promise<number> {
  const orphaned = sql`cancel_requested_at IS NULL AND parent_id IN (
    SELECT parent.id FROM jobs AS child JOIN jobs AS parent ON parent.id = child.parent_id
    WHERE child.state IN ('queued', 'scheduled', 'running', 'retrying') AND parent.state IN ('failed', 'cancelled')
  )`;
  const cancelled = await cancelJobs(context, orphaned);
  await tellCancelled(context, feed, cancelled);
  await afterEnd(context, feed, cancelled);
  return cancelled.length;
}
