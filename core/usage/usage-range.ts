import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { AppError } from "../kernel/errors.ts";
import { isStorableText } from "../kernel/text.ts";
import { type Principal, requireScope, seesUsageOf, teamScope } from "../kernel/principal.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** Days that are reported when nobody says which. */
export const DEFAULT_DAYS = 30;
/** The longest range of one question. */
export const LONGEST_DAYS = 400;

/** `2026-11-21`, which is its midnight in UTC, or a whole ISO 8601 time with an offset. */
const instant = z
  .union([z.iso.date(), z.iso.datetime({ offset: true })], {
    error: "must be a date such as 2026-11-21 or a time such as 2026-11-21T10:00:00Z",
  })
  .transform((text) => new Date(text));

/** What an id or a name in a filter may be; Postgres takes no NUL in a text. */
const name = z.string().min(1).max(200).refine(isStorableText, "must be plain text");

/** Which requests are asked about. */
export const usageFilter = z.object({
  /** Inclusive. */
  from: instant.optional(),
  /** Exclusive. */
  to: instant.optional(),
  key_id: name.optional(),
  session_id: name.optional(),
  end_user: name.optional(),
  model: name.optional(),
});

export interface UsageSelection {
  from: Date;
  to: Date;
  /** Equality on columns that usage_records and usage_hourly share; null where there is none. */
  columns: { column: "team_id" | "key_id" | "session_id" | "end_user" | "model"; value: string }[];
}

/**
 * What the principal may see of what was asked for: keys their whole team, super admins every team or the one they
 * named, a Telegram chat and the end users of an app only their own requests.
 * @throws AppError `missing_scope`, `validation_failed`
 */
export function selectUsage(
  principal: Principal,
  filter: z.output<typeof usageFilter>,
  now: Date,
): UsageSelection {
  requireScope(principal, "usage:read");
  const to = filter.to ?? now;
  const from =
    filter.from ?? new Date(Math.floor((to.getTime() - DEFAULT_DAYS * DAY_MS) / DAY_MS) * DAY_MS);
  if (from >= to) throw rangeError("from must be before to.");
  if (to.getTime() - from.getTime() > LONGEST_DAYS * DAY_MS)
    throw rangeError(`from and to may be ${LONGEST_DAYS} days apart. Ask for less at a time.`);
  const endUser = seesUsageOf(principal) ?? filter.end_user;
  const wanted = [
    { column: "team_id", value: teamScope(principal) },
    { column: "key_id", value: filter.key_id },
    { column: "session_id", value: filter.session_id },
    { column: "end_user", value: endUser },
    { column: "model", value: filter.model },
  ] as const;
  return {
    from,
    to,
    columns: wanted.flatMap(({ column, value }) =>
      value === null || value === undefined ? [] : [{ column, value }],
    ),
  };
}

function rangeError(message: string): AppError {
  return new AppError("validation_failed", { message, fields: [{ path: "from", message }] });
}

/** The selection's equalities on a table or alias, for a WHERE; the range is the caller's. */
export function matching(table: SQL, { columns }: UsageSelection): SQL {
  const conditions = columns.map(
    ({ column, value }) => sql`${table}.${sql.identifier(column)} = ${value}`,
  );
  return sql.join([sql`true`, ...conditions], sql` AND `);
}
