import type { JobProgram } from "#core/jobs/job-type.ts";
import { consumeJobs, consumeDeadJobs } from "./consumers/jobs.ts";
import { consumeSchedules } from "./consumers/schedules.ts";
import { consumeUsage } from "./consumers/usage.ts";
import { makeDeps } from "./deps.ts";
import { tick } from "./tick.ts";

/** The cron Worker over these programs of jobs. Tests make one with programs of their own. */
export function cronWorker(programs: readonly JobProgram[]) {
  return {
    /** Comes each minute. */
    async scheduled(controller, env): Promise<void> {
      await tick(makeDeps(env, programs), new Date(controller.scheduledTime));
    },

    async queue(batch, env): Promise<void> {
      const deps = makeDeps(env, programs);
      // An environment's queues have its name at their end.
      if (batch.queue.startsWith("switchyard-usage")) return consumeUsage(deps, batch);
      if (batch.queue.startsWith("switchyard-schedules")) return consumeSchedules(deps, batch);
      if (batch.queue.startsWith("switchyard-jobs-dead")) return consumeDeadJobs(deps, batch);
      if (batch.queue.startsWith("switchyard-jobs")) return consumeJobs(deps, batch);
      deps.log.error("queue_unknown", { queue: batch.queue, messages: batch.messages.length });
      batch.retryAll({ delaySeconds: 60 });
    },
  } satisfies ExportedHandler<CronEnv>;
}
