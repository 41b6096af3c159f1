import type { JobQueue } from "#core/jobs/job-ports.ts";

/** Messages that one call may send. */
const BATCH = 100;

/** Messages for whoever works jobs, by Queues. */
export function createJobQueue(queue: Queue): JobQueue {
  return {
    async send(jobIds, delaySeconds) {
      const options = delaySeconds === undefined ? {} : { delaySeconds };
      for (let from = 0; from < jobIds.length; from += BATCH)
        await queue.sendBatch(
          jobIds.slice(from, from + BATCH).map((jobId) => ({ body: { job_id: jobId } })),
          options,
        );
    },
  };
}
