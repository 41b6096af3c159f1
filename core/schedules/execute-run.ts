import { and, eq } from "drizzle-orm";
import { scheduleRuns } from "#schema";
import { AppError } from "../kernel/errors.ts";
import type { ClaimedRun } from "./claim-runs.ts";
import type { ScheduleContext, ScheduleResult } from "./schedule.ts";

/** A run begins no new piece of work after this part of its lease; the rest is for the piece in hand. */
const WORKING_PART = 0.8;
const ERROR_LIMIT = 500;

/**
 * Does a claimed run and writes how it ended. A failed run waits for another attempt where its schedule allows one;
 * the sweeper starts it within a minute or two.
 * @throws only when how it ended cannot be written; its lease ends it then
 */
export async function executeRun(
  context: Omit<ScheduleContext, "deadline">,
  { schedule, run }: ClaimedRun,
): Promise<void> {
  const log = context.log.with({ schedule: schedule.name, run_id: run.id });
  const startedAt = context.now();
  const deadline = new Date(startedAt.getTime() + schedule.leaseSeconds * 1000 * WORKING_PART);
  let ending: Ending;
  try {
    const result = await schedule.run({ ...context, log, deadline });
    ending = { state: "succeeded", result, error: null };
    log.info("schedule_ran", {
      ...result,
      duration_ms: context.now().getTime() - startedAt.getTime(),
    });
  } catch (error) {
    const again = run.attempts <= schedule.retries;
    ending = { state: again ? "queued" : "failed", result: null, error: sentenceOf(error) };
    log.error("schedule_failed", { attempt: run.attempts, again, error });
  }
  // The attempt is the fence: a run that was taken to be dead and started again belongs to the later attempt.
  await context.db
    .update(scheduleRuns)
    .set({
      ...ending,
      leaseUntil: null,
      endedAt: ending.state === "queued" ? null : context.now(),
    })
    .where(
      and(
        eq(scheduleRuns.id, run.id),
        eq(scheduleRuns.state, "running"),
        eq(scheduleRuns.attempts, run.attempts),
      ),
    );
}

interface Ending {
  state: "succeeded" | "failed" | "queued";
  result: ScheduleResult | null;
  error: string | null;
}

/** For operators. A query's own error is the innermost; the wrapper around it repeats the parameters. */
function sentenceOf(thrown: unknown): string {
  let error = thrown;
  while (!(error instanceof AppError) && error instanceof Error && error.cause instanceof Error)
    error = error.cause;
  const message = error instanceof Error ? error.message : "It failed without saying why.";
  return message.slice(0, ERROR_LIMIT);
}
