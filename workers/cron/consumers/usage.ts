import { takeUsageMessages } from "#core/usage/take-usage-messages.ts";
import type { CronDeps } from "../deps.ts";

/** The delay before a failed message comes again: doubled each time, up to ten minutes. */
const FIRST_DELAY_SECONDS = 5;
const LONGEST_DELAY_SECONDS = 600;

/**
 * Brings usage from the queue to Postgres and confirms it to the Meters. Everything may come twice: stored records and
 * confirmed batches change nothing. A message whose retries are used up goes to the dead-letter queue, and nothing is
 * lost with it, since the Meter sends again what was not confirmed.
 */
export async function consumeUsage(deps: CronDeps, batch: MessageBatch): Promise<void> {
  const started = Date.now();
  try {
    const { batches, ...counts } = await takeUsageMessages(
      deps.context(),
      batch.messages.map((message) => message.body),
    );
    const confirmed = await Promise.allSettled(
      [...batches].map(([teamId, ids]) => deps.meter.confirm(teamId, [...new Set(ids)])),
    );
    const unconfirmed = confirmed.filter((outcome) => outcome.status === "rejected");
    deps.log.info("usage_stored", {
      messages: batch.messages.length,
      teams: batches.size,
      ...counts,
      unconfirmed: unconfirmed.length,
      duration_ms: Date.now() - started,
    });
    // The records are stored: a Meter that could not be told sends them again, and is told then.
    for (const { reason } of unconfirmed) deps.log.warn("usage_not_confirmed", { error: reason });
    batch.ackAll();
  } catch (error) {
    deps.log.error("usage_not_stored", { messages: batch.messages.length, error });
    for (const message of batch.messages) {
      const delay = FIRST_DELAY_SECONDS * 2 ** (message.attempts - 1);
      message.retry({ delaySeconds: Math.min(delay, LONGEST_DELAY_SECONDS) });
    }
  }
}
