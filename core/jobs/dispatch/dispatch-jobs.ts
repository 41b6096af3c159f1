import { sql } from "drizzle-orm";
import { z } from "zod";
import { jobDispatchWishes } from "#schema";
import type { Context, Database } from "../../kernel/context.ts";
import { rowsOf } from "../../kernel/sql-rows.ts";
import type { JobQueue } from "../job-ports.ts";
import { type JobSettings, WAKE_MESSAGE_SECONDS } from "../job-settings.ts";
import type { JobType } from "../job-type.ts";
import { chooseJobs } from "./choose-jobs.ts";
import type { DispatchTurn } from "./dispatch-turn.ts";
import { readChoice } from "./read-candidates.ts";
import { type Admitted, DISPATCH_LOCK, LAST_ADMISSION, writeAdmission } from "./write-admission.ts";

/** What dispatching goes by. */
export interface DispatchParts {
  types: readonly JobType[];
  settings: Pick<JobSettings, "capacity" | "teamCapacity">;
  queue: JobQueue;
  /** Shared by all who dispatch in one isolate; without it each asks the database. */
  turn?: DispatchTurn;
}

/** For so long somebody goes on dispatching who is asked to look again and again, in milliseconds. */
const LONGEST_MS = 10_000;

const wishRow = z.object({
  wish: z.string(),
  admission: z.string(),
  due: z.boolean(),
  idle: z.boolean(),
});
const wishesRow = z.object({ wish: z.string() });

/**
 * Lets jobs in up to the free capacity, and sends a message for each. Several may be at it at once: each reads, chooses,
 * and then writes in one statement, which changes nothing where somebody else has let a job in since before it read
 * (docs/adr/0084). Whoever comes too late leaves it to the other, who looks again: everybody leaves a wish first, a
 * number of a sequence, which is seen at once, and looks at the last one after the commit.
 * @param options.thorough looks also where nothing seems to be there to do, and whoever else does
 * @returns how many were let in
 */
export async function dispatchJobs(
  context: Context,
  parts: DispatchParts,
  { thorough = false }: { thorough?: boolean } = {},
): Promise<number> {
  const { turn } = parts;
  if (turn && !turn.take() && !thorough) return 0;
  try {
    return await dispatchInTurn(context, parts, thorough);
  } finally {
    turn?.leave();
  }
}

async function dispatchInTurn(
  context: Context,
  parts: DispatchParts,
  thorough: boolean,
): Promise<number> {
  const { turn } = parts;
  const until = performance.now() + LONGEST_MS;
  let admitted = 0;
  let again = true;
  while (again && performance.now() < until) {
    const asked = turn?.renew();
    const wish = await leaveWish(context.db, parts.settings.capacity);
    again = false;
    if (wish.due) await queueWhatIsDue(context.db);
    if (wish.due || thorough || !wish.idle) {
      const done = await admit(context.db, parts, wish.admission);
      if (done) {
        admitted += done.admitted.length;
        const [last] = await Promise.all([lastWish(context.db), send(context, parts.queue, done)]);
        again = last !== wish.wish || (done.admitted.length > 0 && done.more);
      }
    }
    // Those who were turned away since have left no wish but this one.
    again ||= turn !== undefined && turn.asked !== asked;
  }
  return admitted;
}

/** Says that there may be something to do, and looks whether there is. What was let in last is read before all else is. */
async function leaveWish(db: Database, capacity: number) {
  const rows = await db.execute(sql`
    WITH wish AS MATERIALIZED (SELECT nextval(${jobDispatchWishes.seqName}) AS number)
    SELECT number::text AS wish, ${LAST_ADMISSION}::text AS admission,
      EXISTS (SELECT 1 FROM jobs WHERE state IN ('scheduled', 'retrying') AND due_at <= now()) AS due,
      (SELECT count(*) FROM jobs WHERE slot) >= ${capacity}
        OR NOT EXISTS (SELECT 1 FROM jobs WHERE state = 'queued' AND NOT slot) AS idle
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

/** Jobs whose time has come wait for capacity from now on. */
async function queueWhatIsDue(db: Database): Promise<void> {
  await db.execute(sql`
    WITH gate AS MATERIALIZED (SELECT 1 AS open FROM ${DISPATCH_LOCK})
    UPDATE jobs SET state = 'queued', waiting_for = 'capacity', queued_at = due_at, due_at = NULL, updated_at = now()
    FROM gate WHERE gate.open = 1 AND state IN ('scheduled', 'retrying') AND due_at <= now()`);
}

/** @returns null when somebody else has let a job in since `admission` */
async function admit(
  db: Database,
  parts: DispatchParts,
  admission: string,
): Promise<(Admitted & { more: boolean }) | null> {
  const choice = await readChoice(db, { types: parts.types, ...parts.settings });
  const chosen = chooseJobs(choice);
  const wake = firstWake(parts.types, chosen.held, choice.rateFrees);
  const written = await writeAdmission(db, parts.types, { ...chosen, wake, admission });
  return written && { ...written, more: written.admitted.length < chosen.admitted.length };
}

/** The first of the jobs that a rate holds back, where that is soon. */
function firstWake(
  types: readonly JobType[],
  held: ReturnType<typeof chooseJobs>["held"],
  frees: ReadonlyMap<string, number>,
): { jobId: string; seconds: number } | null {
  const waits = held.map((job) => {
    const rate = types.find((type) => type.name === job.type)?.rate;
    const key = `${job.type}\n${rate?.of === "team" ? job.teamId : ""}`;
    // Where nothing was started before, what uses the rate up was started just now.
    return { jobId: job.id, seconds: frees.get(key) ?? rate?.perSeconds ?? 0 };
  });
  const [first] = waits.sort((a, b) => a.seconds - b.seconds);
  if (!first || first.seconds > WAKE_MESSAGE_SECONDS) return null;
  return { jobId: first.jobId, seconds: Math.max(1, Math.ceil(first.seconds)) };
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
