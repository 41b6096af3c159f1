import { and, eq, sql } from "drizzle-orm";
import { jobEvents, jobs } from "#schema";
import { audit } from "../audit/audit.ts";
import type { Context } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import { newId } from "../kernel/ids.ts";
import { actorName } from "../kernel/principal.ts";
import { boundedJobJson } from "./job-json.ts";
import type { JobDesk } from "./job-ports.ts";
import { hasEnded, JOB_EVENTS, reachJob } from "./job.ts";

/**
 * Sends an event to a job, such as an approval. It is kept until a step takes it, also where none waits for it yet; the
 * job's row is held meanwhile, so that a step which is about to wait cannot miss it.
 * @param input.id the sender's own: the same again changes nothing
 * @returns the event's id, and whether it is a new one
 * @throws AppError `missing_scope`, `not_found`, `validation_failed` when it takes more than 256 KiB, `conflict` when the
 * job has ended or has been sent too many
 */
export async function sendJobEvent(
  context: Context,
  desk: JobDesk,
  input: { jobId: string; event: string; payload: unknown; id?: string | null },
): Promise<{ id: string; created: boolean }> {
  const { jobId, event } = input;
  const payload = boundedJobJson(input.payload ?? null, "payload");
  return context.transaction(async (inner) => {
    const job = await reachJob(inner, jobId, { lock: true });
    const id = input.id ?? newId("message", inner.now().getTime());
    const [known] = await inner.db
      .select({ id: jobEvents.id })
      .from(jobEvents)
      .where(and(eq(jobEvents.jobId, jobId), eq(jobEvents.id, id)));
    if (known) return { id, created: false };
    if (hasEnded(job.state))
      throw new AppError("conflict", { message: `The job has ended: it is ${job.state}.` });
    const [row] = await inner.db
      .select({ count: sql<number>`count(*)::integer` })
      .from(jobEvents)
      .where(eq(jobEvents.jobId, jobId));
    const count = row?.count ?? 0;
    if (count >= JOB_EVENTS)
      throw new AppError("conflict", { message: `A job takes ${JOB_EVENTS} events at most.` });
    await inner.db.insert(jobEvents).values({
      id,
      jobId,
      number: count + 1,
      name: event,
      payload: sql`${payload}::json`,
      sentBy: actorName(inner.principal),
    });
    await inner.db
      .update(jobs)
      .set({
        state: "queued",
        waitingFor: "capacity",
        queuedAt: sql`now()`,
        dueAt: null,
        updatedAt: sql`now()`,
      })
      .where(
        and(eq(jobs.id, jobId), eq(jobs.state, "scheduled"), eq(jobs.waitingFor, `event:${event}`)),
      );
    await audit(inner, {
      action: "job.event",
      teamId: job.teamId,
      targetId: jobId,
      after: { event, id },
    });
    await inner.afterCommit(() => desk.dispatch());
    return { id, created: true };
  });
}
