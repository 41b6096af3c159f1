import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Requests } from "./party.ts";

/** What the database says of the bench's own requests. */
export const usageSeen = z.object({
  records: z.number(),
  /** Those with status 200 and exactly the token counts that the upstream reported. */
  exact: z.number(),
});

export type UsageToSettle = {
  got: Requests;
  look: () => Promise<z.infer<typeof usageSeen>>;
  /** How long usage may take from the isolate to Postgres once the load is over. */
  withinMs?: number;
  /** What was cut off may be recorded or not: it is settled once nothing more has come for so long. */
  quietMs?: number;
};

const lookEveryMs = 250;

/**
 * Waits until each request has its usage record, and returns what was found, in a line. Throws where
 * one of an answered request is missing or wrong, or where there are more records than requests.
 */
export async function settleUsage({
  got: { answered, cut },
  look,
  withinMs = 120_000,
  quietMs = 3_000,
}: UsageToSettle): Promise<string> {
  const startedAt = performance.now();
  let seen = await look();
  let changedAt = performance.now();
  const isSettled = () =>
    seen.records >= answered && (cut === 0 || performance.now() - changedAt > quietMs);
  while (!isSettled() && performance.now() - startedAt < withinMs) {
    await sleep(Math.min(lookEveryMs, quietMs));
    const now = await look();
    if (now.records !== seen.records) changedAt = performance.now();
    seen = now;
  }
  const summary =
    `${answered} requests answered${cut > 0 ? ` and ${cut} cut off` : ""}, ${seen.records} usage records ` +
    `in Postgres, ${seen.exact} of them with the provider's own token counts`;
  if (seen.records < answered)
    throw new Error(`usage was lost, ${withinMs} ms after the last answer: ${summary}`);
  if (seen.records > answered + cut) throw new Error(`usage was counted twice: ${summary}`);
  if (seen.exact < answered) throw new Error(`usage is wrong: ${summary}`);
  return summary;
}
