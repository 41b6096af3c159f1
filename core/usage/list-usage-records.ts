import { and, desc, getTableColumns, gte, lt, sql } from "drizzle-orm";
import { z } from "zod";
import { usageRecords } from "#schema";
import type { Context } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import { decodeCursor, type Page, type PageRequest, toPage } from "../kernel/page.ts";
import { matching, selectUsage, usageFilter } from "./usage-range.ts";

export const listUsageRecordsInput = usageFilter.extend({
  /** The HTTP status that the client got. */
  status: z.coerce.number().int().min(100).max(999).optional(),
});

/** A single request as it was counted. */
export type StoredUsageRecord = typeof usageRecords.$inferSelect;

const cursorShape = z.tuple([z.iso.datetime(), z.string(), z.number().int().min(0).max(32_767)]);

/**
 * Single requests, the newest first. Those of closed hours are gone or going, and are not listed.
 * @throws AppError `missing_scope`, `validation_failed`, `invalid_request`
 */
export async function listUsageRecords(
  context: Context,
  input: z.output<typeof listUsageRecordsInput>,
  page: PageRequest,
): Promise<Page<StoredUsageRecord>> {
  const selection = selectUsage(context.principal, input, context.now());
  const rows = await context.db
    .select({
      ...getTableColumns(usageRecords),
      // With microseconds, which a Date does not have: a cursor must name its row exactly.
      exactly: sql<string>`to_char(${usageRecords.at} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`,
    })
    .from(usageRecords)
    .where(
      and(
        gte(usageRecords.at, selection.from),
        lt(usageRecords.at, selection.to),
        sql`${usageRecords.at} >= (SELECT closed_before FROM usage_books)`,
        matching(sql`usage_records`, selection),
        input.status === undefined ? undefined : sql`${usageRecords.status} = ${input.status}`,
        page.cursor === undefined ? undefined : beforeCursor(page.cursor),
      ),
    )
    .orderBy(desc(usageRecords.at), desc(usageRecords.id), desc(usageRecords.attempt))
    .limit(page.limit + 1);
  return toPage(
    rows,
    page.limit,
    ({ exactly: _, ...record }) => record,
    (record) => [record.exactly, record.id, record.attempt],
  );
}

function beforeCursor(cursor: string) {
  const parsed = cursorShape.safeParse(decodeCursor(cursor, 3));
  if (!parsed.success) {
    throw new AppError("invalid_request", {
      message: "cursor is not one that a list gave. Start again without it.",
      param: "cursor",
    });
  }
  const [at, id, attempt] = parsed.data;
  return sql`(${usageRecords.at}, ${usageRecords.id}, ${usageRecords.attempt})
    < (${at}::timestamptz, ${id}::text, ${attempt}::smallint)`;
}
