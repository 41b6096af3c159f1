import { z } from "zod";
import { claimQueuedRun } from "#core/schedules/claim-runs.ts";
import { executeRun } from "#core/schedules/execute-run.ts";
import type { CronDeps } from "../deps.ts";

const scheduleMessage = z.object({ run_id: z.string() });

const RETRY_SECONDS = 30;

/** Executes runs that were asked for by hand or have to be repeated. The row decides; a message only says where to look. */
export async function consumeSchedules(deps: CronDeps, batch: MessageBatch): Promise<void> {
  for (const message of batch.messages) {
    const parsed = scheduleMessage.safeParse(message.body);
    if (!parsed.success) {
      // The run that it may have meant is a row, which the sweeper sends again.
      deps.log.error("schedule_message_unreadable", { message_id: message.id });
      message.ack();
      continue;
    }
    try {
      const context = deps.scheduleContext();
      const claimed = await claimQueuedRun(context, parsed.data.run_id);
      if (claimed) await executeRun(context, claimed);
      message.ack();
    } catch (error) {
      deps.log.error("schedule_message_failed", { run_id: parsed.data.run_id, error });
      message.retry({ delaySeconds: RETRY_SECONDS });
    }
  }
}
