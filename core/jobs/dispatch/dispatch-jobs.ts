import { sql } from "drizzle-orm";
import { z } from "zod";
import { jobAdmissions, jobDispatchWishes } from "#schema";
import type { Context, Database, TransactionContext } from "../../kernel/context.ts";
import { rowsOf } from "../../kernel/sql-rows.ts";
import type { JobQueue } from "../job-ports.ts";
import {
  type JobSettings,
  MESSAGE_OVERDUE_SECONDS,
  WAKE_MESSAGE_SECONDS,
} from "../job-settings.ts";
import type { JobType } from "../job-type.ts";
import { type Candidate, chooseJobs } from "./choose-jobs.ts";
import { readChoice } from "./read-candidates.ts";

/** What dispatching goes by. */
export interface DispatchParts {
  types: readonly JobType[];
  settings: Pick<JobSettings, "capacity" | "teamCapacity">;
  queue: JobQueue;
}

/** Who dispatches holds this advisory lock until its commit: counts of what is running are true for no one else. */
const LOCK = sql`7301, 4`;
/** A dispatcher that was asked to look again does so this often; what is left then is for the next one. */
const ROUNDS = 20;

const wishRow = z.object({ wish: z.string(), busy: z.boolean(), idle: z.boolean() });
const lockRow = z.object({ locked: z.boolean() });
const wishesRow = z.object({ wish: z.string() });

/**
 * Lets jobs in up to the free capacity, and sends a message for each. At any time one dispatcher is at work; another
 * leaves it a wish, and does not wait. A wish is a number of a sequence, which everybody sees at once: the one at work
 * looks at it after its commit, so that nothing that was committed before a wish is overlooked.
 * @param options.thorough looks also where nothing seems to be there to do
 * @returns how many were let in
 */
export async function dispatchJobs(
  context: Context,
  parts: DispatchParts,
  { thorough = false }: { thorough?: boolean } = {},
): Promise<number> {
  let admitted = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const wish = await leaveWish(context.db, parts.settings.capacity);
    if (wish.busy || (wish.idle && !thorough)) break;
    const done = await context.transaction((inner) => admit(inner, parts));
    if (done === null) break;
    admitted += done.admitted.length;
    await send(context, parts.queue, done);
    const again = done.admitted.length > 0 && done.more;
    if (!again && (await lastWish(context.db)) === wish.wish) break;
  }
  return admitted;
}

/** Says that there may be something to do, and looks whether somebody does it already. */
async function leaveWish(db: Database, capacity: number) {
  const rows = await db.execute(sql`
    WITH wish AS MATERIALIZED (SELECT nextval(${jobDispatchWishes.seqName}) AS number)
    SELECT number::text AS wish,
      EXISTS (
        SELECT 1 FROM pg_locks
        WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND (classid, objid, objsubid) = (7301, 4, 2) AND granted AND number > 0
      ) AS busy,
      ((SELECT count(*) FROM jobs WHERE slot) >= ${capacity}) OR NOT (
        EXISTS (SELECT 1 FROM jobs WHERE state = 'queued' AND NOT slot)
        OR EXISTS (SELECT 1 FROM jobs WHERE state IN ('scheduled', 'retrying') AND due_at <= now())
      ) AS idle
    FROM wish`);
  const [row] = rowsOf(wishRow, rows);
  if (!row) throw new Error("A statement without FROM rows gave none.");
  return row;
}

async function lastWish(db: Database): Promise<string | null> {
  const rows = await db.execute(
    sql`SELECT last_value::text AS wish FROM ${sql.identifier(jobDispatchWishes.seqName ?? "")}`,
  );
  return rowsOf(wishesRow, rows)[0]?.wish ?? null;
}

interface Admitted {
  admitted: string[];
  /** Whether more could be let in if there were room. */
  more: boolean;
  /** A job that a rate holds back, and in how many seconds it no longer does. */
  wake: { jobId: string; seconds: number } | null;
}

/** @returns null when somebody else is at it */
async function admit(inner: TransactionContext, parts: DispatchParts): Promise<Admitted | null> {
  const { db } = inner;
  const rows = await db.execute(sql`SELECT pg_try_advisory_xact_lock(${LOCK}) AS locked`);
  if (!rowsOf(lockRow, rows)[0]?.locked) return null;
  await queueWhatIsDue(db);
  const choice = await readChoice(db, { types: parts.types, ...parts.settings });
  const chosen = chooseJobs(choice);
  const admitted = await writeAdmitted(db, chosen.admitted);
  await noteStarts(db, parts.types, chosen.admitted, new Set(admitted));
  await noteHeld(db, chosen.held);
  await notePressure(db, chosen.oldestWaiting);
  const wake = await arrangeWake(db, parts.types, chosen.held, choice.rateFrees);
  return { admitted, more: admitted.length < chosen.admitted.length, wake };
}

/** Jobs whose time has come wait for capacity from now on. */
async function queueWhatIsDue(db: Database): Promise<void> {
  await db.execute(sql`
    UPDATE jobs SET state = 'queued', waiting_for = 'capacity', queued_at = due_at, due_at = NULL, updated_at = now()
    WHERE state IN ('scheduled', 'retrying') AND due_at <= now()`);
}

async function writeAdmitted(db: Database, chosen: readonly Candidate[]): Promise<string[]> {
  if (chosen.length === 0) return [];
  const ids = JSON.stringify(chosen.map((job) => job.id));
  const rows = await db.execute(sql`
    UPDATE jobs SET slot = true, waiting_for = NULL, admission = chosen.number, updated_at = now(),
      message_due_at = now() + make_interval(secs => ${MESSAGE_OVERDUE_SECONDS})
    FROM (
      SELECT id, nextval(${jobAdmissions.seqName}) AS number FROM jsonb_array_elements_text(${ids}::jsonb) AS id
    ) AS chosen
    WHERE jobs.id = chosen.id AND state = 'queued' AND NOT slot
    RETURNING jobs.id, jobs.admission::text AS admission`);
  const written = rowsOf(z.object({ id: z.string(), admission: z.string() }), rows);
  return written.sort((a, b) => Number(a.admission) - Number(b.admission)).map(({ id }) => id);
}

/** Keeps the starts that count against a rate, and forgets those that no longer do. */
async function noteStarts(
  db: Database,
  types: readonly JobType[],
  chosen: readonly Candidate[],
  admitted: ReadonlySet<string>,
): Promise<void> {
  const rated = types.filter((type) => type.rate);
  if (rated.length === 0) return;
  const names = new Set(rated.map((type) => type.name));
  const started = chosen.filter(
    (job) => admitted.has(job.id) && names.has(job.type) && !job.inAttempt,
  );
  if (started.length === 0) return;
  const longest = Math.max(...rated.map((type) => type.rate?.perSeconds ?? 0));
  await db.execute(
    sql`DELETE FROM job_starts WHERE at < now() - make_interval(secs => ${longest})`,
  );
  await db.execute(sql`
    INSERT INTO job_starts (job_id, attempt, type, team_id, at)
    SELECT id, attempt + 1, type, team_id, now() FROM jobs
    WHERE id IN (SELECT jsonb_array_elements_text(${JSON.stringify(started.map((job) => job.id))}::jsonb))
    ON CONFLICT (job_id, attempt) DO UPDATE SET at = excluded.at`);
}

/** Says of jobs why they wait, where it is a rate. */
async function noteHeld(db: Database, held: readonly Candidate[]): Promise<void> {
  if (held.length === 0) return;
  const ids = JSON.stringify(held.map((job) => job.id));
  await db.execute(sql`
    UPDATE jobs SET waiting_for = 'rate', updated_at = now()
    WHERE id IN (SELECT jsonb_array_elements_text(${ids}::jsonb)) AND state = 'queued' AND NOT slot
      AND waiting_for IS DISTINCT FROM 'rate'`);
}

/** How long jobs wait that only lack capacity, for /ready and for those who want to make more. */
async function notePressure(db: Database, oldestWaiting: number | null): Promise<void> {
  await db.execute(sql`
    INSERT INTO job_pressure (oldest_queued_at) VALUES (to_timestamp(${oldestWaiting}::double precision / 1000))
    ON CONFLICT ("only") DO UPDATE SET oldest_queued_at = excluded.oldest_queued_at, checked_at = now()
    WHERE job_pressure.oldest_queued_at IS DISTINCT FROM excluded.oldest_queued_at
      OR job_pressure.checked_at < now() - interval '10 seconds'`);
}

/** Jobs that a rate holds back get one message together, however many dispatchers see them. */
async function arrangeWake(
  db: Database,
  types: readonly JobType[],
  held: readonly Candidate[],
  frees: ReadonlyMap<string, number>,
): Promise<Admitted["wake"]> {
  const waits = held.map((job) => {
    const rate = types.find((type) => type.name === job.type)?.rate;
    const key = `${job.type}\n${rate?.of === "team" ? job.teamId : ""}`;
    // Where nothing was started before, what uses the rate up was started just now.
    return { jobId: job.id, seconds: frees.get(key) ?? rate?.perSeconds ?? 0 };
  });
  const [first] = waits.sort((a, b) => a.seconds - b.seconds);
  if (!first || first.seconds > WAKE_MESSAGE_SECONDS) return null;
  const seconds = Math.max(1, Math.ceil(first.seconds));
  const rows = await db.execute(sql`
    UPDATE job_pressure SET wake_at = now() + make_interval(secs => ${seconds})
    WHERE wake_at IS NULL OR wake_at <= now() OR wake_at > now() + make_interval(secs => ${seconds})
    RETURNING true AS locked`);
  return rowsOf(lockRow, rows).length > 0 ? { jobId: first.jobId, seconds } : null;
}

/** After the commit: a message that is lost here is sent again by the sweeper. */
async function send(
  context: Context,
  queue: JobQueue,
  { admitted, wake }: Admitted,
): Promise<void> {
  try {
    if (admitted.length > 0) await queue.send(admitted);
    if (wake) await queue.send([wake.jobId], wake.seconds);
  } catch (error) {
    context.log.warn("job_messages_not_sent", { jobs: admitted.length, error });
  }
}
