import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import type { Context } from "../../kernel/context.ts";
import { AppError } from "../../kernel/errors.ts";
import { rowsOf } from "../../kernel/sql-rows.ts";
import { addDays, dayOfTime, lengthOf, type Period } from "./days.ts";

/** Days that are reported when nobody says which. */
export const DEFAULT_DAYS = 30;
/** The longest period of one question: three years. */
export const LONGEST_DAYS = 1_100;

const FIRST_DAY = "1970-01-01";
const LAST_DAY = "2200-01-01";
const day = z.iso
  .date({ error: "must be a day such as 2026-11-21" })
  .refine(
    (text) => text >= FIRST_DAY && text <= LAST_DAY,
    `must be from ${FIRST_DAY} to ${LAST_DAY}`,
  );

/** From which day to which, both included. */
export const periodInput = z.object({
  from: day.optional().describe("The first day, included"),
  to: day.optional().describe("The last day, included; without it the last day with facts"),
});

const lastDay = z.object({ last: z.string().nullable() });

/**
 * The days that are meant. Without an end it is the last day of which the campaigns have facts, since files come late;
 * without a beginning, 30 days.
 * @throws AppError `validation_failed`
 */
export async function resolvePeriod(
  context: Pick<Context, "db" | "now">,
  input: z.output<typeof periodInput>,
  where: SQL,
): Promise<Period> {
  const to = input.to ?? (await lastDayWithFacts(context, where));
  const from = input.from ?? addDays(to, 1 - DEFAULT_DAYS);
  if (from > to) throw periodError("from must not be after to.");
  if (lengthOf({ from, to }) > LONGEST_DAYS)
    throw periodError(`A period may have ${LONGEST_DAYS} days. Ask for less at a time.`);
  return { from, to };
}

async function lastDayWithFacts(context: Pick<Context, "db" | "now">, where: SQL): Promise<string> {
  const result = await context.db.execute(sql`
    SELECT greatest(
      (SELECT max(last_day) FROM campaigns WHERE ${where}),
      (SELECT max(day) FROM campaign_dirty_days WHERE campaign IN (SELECT number FROM campaigns WHERE ${where}))
    )::text AS last
  `);
  return rowsOf(lastDay, result)[0]?.last ?? dayOfTime(context.now());
}

function periodError(message: string): AppError {
  return new AppError("validation_failed", { message, fields: [{ path: "from", message }] });
}
