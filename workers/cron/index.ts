import { consumeSchedules } from "./consumers/schedules.ts";
import { consumeUsage } from "./consumers/usage.ts";
import { makeDeps } from "./deps.ts";
import { tick } from "./tick.ts";

export default {
  /** Comes each minute. */
  async scheduled(controller, env): Promise<void> {
    await tick(makeDeps(env), new Date(controller.scheduledTime));
  },

  async queue(batch, env): Promise<void> {
    const deps = makeDeps(env);
    // An environment's queues have its name at their end.
    if (batch.queue.startsWith("switchyard-usage")) return consumeUsage(deps, batch);
    if (batch.queue.startsWith("switchyard-schedules")) return consumeSchedules(deps, batch);
    deps.log.error("queue_unknown", { queue: batch.queue, messages: batch.messages.length });
    batch.retryAll({ delaySeconds: 60 });
  },
} satisfies ExportedHandler<CronEnv>;
