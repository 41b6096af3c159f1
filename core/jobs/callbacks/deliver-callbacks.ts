import { and, asc, eq, lte } from "drizzle-orm";
import { jobCallbacks, jobResults, jobs } from "#schema";
import type { Context, TransactionContext } from "../../kernel/context.ts";
import { WAKE_MESSAGE_SECONDS } from "../job-settings.ts";
import { type CallbackAttempt, pauseAfter, UNKNOWN_OUTCOME } from "./callback-attempt.ts";
import { callbackPayload } from "./callback-payload.ts";
import { type CallbackPorts, type Outcome, sendCallback } from "./send-callback.ts";

type Callback = typeof jobCallbacks.$inferSelect;

/** A callback that we send now, with what is sent. */
type Claimed = Callback & { payload: string };

type DeliveryContext = Pick<Context, "db" | "transaction" | "now" | "log">;

/** Whoever sends one has this long to note what came of it, in milliseconds; then it is sent again. */
const CLAIM_MS = 60_000;
/** As many as a Worker may have connections open at once. */
const AT_ONCE = 6;
/** Tries that are shown; older ones go. */
const LOGGED = 50;

export interface DeliveryInput {
  /** Only the callbacks of this job. */
  jobId?: string;
  /** Nothing new is begun after this. */
  deadline: Date;
}

/**
 * Sends the callbacks that are due. The try is noted before it is made, and takes the row for a minute: nobody else
 * sends it meanwhile, and should this process die in between, it is sent again with the same `webhook-id`. One that
 * failed comes again by a message where its pause is short.
 * @returns how many were sent, and how many of them were taken
 */
export async function deliverCallbacks(
  context: DeliveryContext,
  ports: CallbackPorts,
  input: DeliveryInput,
): Promise<{ sent: number; taken: number }> {
  const counts = { sent: 0, taken: 0 };
  while (context.now() < input.deadline) {
    const claimed = await claimDue(context, input.jobId);
    const outcomes = await Promise.all(
      claimed.map((callback) => deliver(context, ports, callback)),
    );
    counts.sent += claimed.length;
    counts.taken += outcomes.filter(({ taken }) => taken).length;
    if (claimed.length < AT_ONCE) break;
  }
  return counts;
}

async function claimDue(context: DeliveryContext, jobId: string | undefined): Promise<Claimed[]> {
  return context.transaction(async (inner) => {
    const now = inner.now();
    const due = await inner.db
      .select()
      .from(jobCallbacks)
      .where(
        and(
          eq(jobCallbacks.state, "pending"),
          lte(jobCallbacks.dueAt, now),
          jobId === undefined ? undefined : eq(jobCallbacks.jobId, jobId),
        ),
      )
      .orderBy(asc(jobCallbacks.dueAt))
      .limit(AT_ONCE)
      .for("update", { skipLocked: true });
    const claimed: Claimed[] = [];
    for (const callback of due) claimed.push(await claim(inner, callback, now));
    return claimed;
  });
}

async function claim(context: TransactionContext, callback: Callback, now: Date): Promise<Claimed> {
  const payload = callback.payload ?? (await makePayload(context, callback));
  const attempts = callback.attempts + 1;
  const attempt: CallbackAttempt = {
    number: attempts,
    at: now.toISOString(),
    status: null,
    error: UNKNOWN_OUTCOME,
    duration_ms: null,
    answer: "",
  };
  const change = {
    payload,
    attempts,
    dueAt: new Date(now.getTime() + CLAIM_MS),
    log: [...callback.log, attempt].slice(-LOGGED),
  };
  await context.db.update(jobCallbacks).set(change).where(eq(jobCallbacks.id, callback.id));
  return { ...callback, ...change };
}

async function makePayload(context: TransactionContext, callback: Callback): Promise<string> {
  const { db } = context;
  const [job] = await db.select().from(jobs).where(eq(jobs.id, callback.jobId));
  if (!job) throw new Error("A callback goes with its job"); // by its foreign key, and its row is locked
  const results = await db
    .select()
    .from(jobResults)
    .where(eq(jobResults.jobId, job.id))
    .orderBy(asc(jobResults.name));
  return callbackPayload(callback.event, job, results);
}

async function deliver(
  context: DeliveryContext,
  ports: CallbackPorts,
  callback: Claimed,
): Promise<Outcome> {
  const started = context.now().getTime();
  const { id, teamId, url, payload } = callback;
  const outcome = await sendCallback(ports, { id, teamId, url, payload, at: started });
  const durationMs = context.now().getTime() - started;
  const pause = await note(context, callback, { outcome, durationMs });
  // Longer pauses end with the tick, which also sends what a lost message leaves.
  if (pause !== null && pause <= WAKE_MESSAGE_SECONDS)
    await ports.later(callback.jobId, pause + 1).catch((error: unknown) => {
      context.log.warn("callback_message_not_sent", { job_id: callback.jobId, error });
    });
  const fields = { callback_id: id, job_id: callback.jobId, team_id: teamId };
  context.log.info("callback_sent", { ...fields, status: outcome.status, taken: outcome.taken });
  return outcome;
}

/**
 * Whoever has claimed it since knows better: the number of the try fences.
 * @returns seconds to its next try; null where there is none
 */
async function note(
  context: DeliveryContext,
  callback: Claimed,
  { outcome, durationMs }: { outcome: Outcome; durationMs: number },
): Promise<number | null> {
  const now = context.now();
  const { status, error, answer } = outcome;
  const last = callback.log.at(-1);
  const log = [
    ...callback.log.slice(0, -1),
    { ...last, status, error, answer, duration_ms: durationMs },
  ];
  const isOver = outcome.taken || outcome.final;
  const pause = isOver
    ? null
    : pauseAfter(callback.attempts - callback.triesBefore, outcome.retryAfter, Math.random());
  const next = outcome.taken
    ? { state: "delivered" as const, deliveredAt: now }
    : pause === null
      ? { state: "failed" as const }
      : { dueAt: new Date(now.getTime() + pause * 1000) };
  await context.db
    .update(jobCallbacks)
    .set({ ...next, log })
    .where(
      and(
        eq(jobCallbacks.id, callback.id),
        eq(jobCallbacks.attempts, callback.attempts),
        eq(jobCallbacks.state, "pending"),
      ),
    );
  return pause;
}
