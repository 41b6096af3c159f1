import { waitUntil } from "cloudflare:workers";
import { z } from "zod";
import { deliverCallbacks } from "#core/jobs/callbacks/deliver-callbacks.ts";
import { recoverJobs } from "#core/jobs/engine/recover-jobs.ts";
import { workJob } from "#core/jobs/engine/work-job.ts";
import { keepDeadLetters } from "#core/usage/dead-letters.ts";
import type { CronDeps } from "../deps.ts";

/** A job to work or, with `callbacks`, to call back about. */
const jobMessage = z.object({ job_id: z.string().max(100), callbacks: z.literal(true).optional() });

/** After a failure of our own, such as of the database. The job's row decides whether there is still something to do. */
const RETRY_SECONDS = 30;

/** Works jobs. The row decides; a message only says where to look, and may come twice. */
export async function consumeJobs(deps: CronDeps, batch: MessageBatch): Promise<void> {
  await Promise.all(
    batch.messages.map(async (message) => {
      const parsed = jobMessage.safeParse(message.body);
      if (!parsed.success) return bury(deps, batch.queue, message, "It names no job.");
      const { job_id: jobId, callbacks } = parsed.data;
      if (callbacks) {
        message.ack(); // what fails, the tick sends again
        return tellEnd(deps, jobId);
      }
      if (deps.settings.JOB_IN_BACKGROUND) {
        message.ack();
        return waitUntil(workAlone(deps, jobId));
      }
      try {
        const { callback } = await workJob(deps.jobs, jobId);
        message.ack();
        if (callback) await tellEnd(deps, jobId);
      } catch (error) {
        deps.log.error("job_message_failed", { job_id: jobId, error });
        message.retry({ delaySeconds: RETRY_SECONDS });
      }
    }),
  );
}

/** How long the first try of a callback may wait for its turn, in milliseconds. */
const CALLBACK_MS = 30_000;

/** Calls back at once; what fails here comes again by a message, or with the tick. */
async function tellEnd(deps: CronDeps, jobId: string): Promise<void> {
  const context = deps.context();
  const deadline = new Date(context.now().getTime() + CALLBACK_MS);
  try {
    await deliverCallbacks(context, deps.callbacks, { jobId, deadline });
  } catch (error) {
    deps.log.warn("callback_not_sent", { job_id: jobId, error });
  }
}

/** Works a job whose message is gone already: what fails, the sweeper finds. */
async function workAlone(deps: CronDeps, jobId: string): Promise<void> {
  try {
    const { callback } = await workJob(deps.jobs, jobId);
    if (callback) await tellEnd(deps, jobId);
  } catch (error) {
    deps.log.error("job_message_failed", { job_id: jobId, error });
  }
}

/**
 * Takes messages that were delivered to the end and never acknowledged, as when a job kills each process that claims it:
 * the job counts it as an attempt that crashed, and is tried again after a pause or has failed.
 */
export async function consumeDeadJobs(deps: CronDeps, batch: MessageBatch): Promise<void> {
  for (const message of batch.messages) {
    const parsed = jobMessage.safeParse(message.body);
    try {
      if (parsed.success && !parsed.data.callbacks) {
        const { job_id: jobId } = parsed.data;
        const recovered = await recoverJobs(deps.jobs, deps.context(), { jobId, unclaimed: true });
        deps.log.error("job_message_dead", { job_id: jobId, recovered });
      }
      await bury(deps, batch.queue, message, "It was delivered to the end and never taken.");
    } catch (error) {
      deps.log.error("job_message_not_buried", { error });
      message.retry({ delaySeconds: RETRY_SECONDS });
    }
  }
}

async function bury(
  deps: CronDeps,
  queue: string,
  message: Message,
  reason: string,
): Promise<void> {
  await keepDeadLetters(deps.context().db, queue, [{ body: message.body, reason }]);
  message.ack();
}
