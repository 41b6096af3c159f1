import type { JobProgram } from "#core/jobs/job-type.ts";
import { consoleLogger } from "#platform/logger.ts";
import { consumeJobs, consumeDeadJobs } from "./consumers/jobs.ts";
import { consumeSchedules } from "./consumers/schedules.ts";
import { consumeUsage } from "./consumers/usage.ts";
import { type CronDeps, makeDeps } from "./deps.ts";
import { tick } from "./tick.ts";

/** The cron Worker over these programs of jobs. Tests make one with programs of their own. */
export function cronWorker(programs: readonly JobProgram[]) {
  return {
    /** Comes each minute. */
    async scheduled(controller, env): Promise<void> {
      await tick(depsOf(env, programs), new Date(controller.scheduledTime));
    },

    async queue(batch, env): Promise<void> {
      const deps = depsOf(env, programs);
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

/** Nobody gets an answer of this Worker, so that what is wrong with its settings is told in its log alone. */
function depsOf(env: CronEnv, programs: readonly JobProgram[]): CronDeps {
  try {
    return makeDeps(env, programs);
  } catch (error) {
    consoleLogger("error", "cron").error("misconfigured", { error });
    throw error;
  }
}
