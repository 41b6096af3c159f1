import { scheduleRuns } from "#schema";
import { audit } from "../audit/audit.ts";
import type { TransactionContext } from "../kernel/context.ts";
import { newId } from "../kernel/ids.ts";
import { requireSuperAdmin } from "../kernel/principal.ts";
import type { ScheduleRun } from "./schedule-run.ts";
import { scheduleNamed } from "./schedules.ts";

export interface RequestRunInput {
  name: string;
  /** Sends the run to whoever executes it. */
  sendRun(runId: string): Promise<void>;
}

/**
 * Asks for a run of a schedule now. The run is a row before anything is sent, so a message that is lost is sent again
 * by the sweeper. Super admins only.
 * @throws AppError `forbidden`, `not_found`
 */
export async function requestRun(
  context: TransactionContext,
  input: RequestRunInput,
): Promise<ScheduleRun> {
  requireSuperAdmin(context.principal);
  const schedule = scheduleNamed(input.name);
  const now = context.now();
  // Two requests may come in one millisecond, and each stands for a time of its own.
  for (let time = now.getTime(); ; time++) {
    const [run] = await context.db
      .insert(scheduleRuns)
      .values({
        id: newId("scheduleRun", now.getTime()),
        name: schedule.name,
        scheduledAt: new Date(time),
        trigger: "manual",
        state: "queued",
        createdAt: now,
      })
      .onConflictDoNothing()
      .returning();
    if (!run) continue;
    const { name: targetId, id } = run;
    await audit(context, { action: "schedule.run", teamId: null, targetId, after: { run_id: id } });
    await context.afterCommit(async () => {
      try {
        await input.sendRun(run.id);
      } catch (error) {
        context.log.warn("schedule_run_not_sent", { run_id: run.id, error });
      }
    });
    return run;
  }
}
