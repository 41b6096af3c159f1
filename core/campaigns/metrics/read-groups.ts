import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import type { Context } from "../../kernel/context.ts";
import { decodeCursor, type Page, type PageRequest, toPage } from "../../kernel/page.ts";
import { rowsOf } from "../../kernel/sql-rows.ts";
import { dayRows } from "./day-rows.ts";
import { lengthOf, type Period, previousPeriod } from "./days.ts";
import { sumColumns, type SumName, type Sums, toSums } from "./sums.ts";

/** What metrics can be grouped by, and how each is written as text over a row of `moved`. */
const DIMENSIONS = {
  day: sql`to_char(moved.slot, 'YYYY-MM-DD')`,
  week: sql`to_char(date_trunc('week', moved.slot), 'YYYY-MM-DD')`,
  month: sql`to_char(moved.slot, 'YYYY-MM')`,
  platform: sql`moved.platform`,
  channel: sql`coalesce(moved.channel, '')`,
  campaign: sql`moved.id`,
  ad_group: sql`moved.ad_group`,
  ad: sql`moved.ad`,
} as const satisfies Record<string, SQL>;
export type Dimension = keyof typeof DIMENSIONS;
export const DIMENSION_NAMES = Object.keys(DIMENSIONS) as Dimension[]; // Object.keys loses the literal type

/** A campaign has one of each. */
const CAMPAIGN = sql`jsonb_build_object('name', min(moved.name), 'platform', min(moved.platform), 'channel', min(moved.channel))`;

const COLUMN_OF = {
  impressions: "impressions",
  clicks: "clicks",
  spend: "spend_micros",
  conversions: "conversion_micros",
  revenue: "revenue_micros",
} as const satisfies Record<SumName, keyof typeof sumColumns>;

export interface GroupQuery {
  /** Which campaigns, by campaignsWhere: it is what keeps other teams' out. */
  where: SQL;
  period: Period;
  groupBy: Dimension[];
  /** Whether the period of equal length before is read beside it. */
  withPrevious: boolean;
  /** By which sum, the largest first; null is by the groups themselves. */
  sort: SumName | null;
}

/** What one group of facts adds up to, in one currency. */
export interface Group {
  /** A value for each dimension asked for, in their order; `''` where the facts have none. */
  values: string[];
  currency: string;
  /** The campaign's name, platform and channel, where grouped by campaign. */
  campaign: { name: string; platform: string; channel: string | null } | null;
  current: Sums;
  /** Of the period before; null where it was not asked for. */
  previous: Sums | null;
}

const sums = z.object(sumColumns);
const row = z.object({
  dimensions: z.array(z.string()),
  campaign: z
    .object({ name: z.string(), platform: z.string(), channel: z.string().nullable() })
    .nullable(),
  sort_value: z.string(),
  current: sums,
  previous: sums.nullable(),
});

/** Facts summed up by groups, and always by currency: a page of them. */
export async function readGroups(
  db: Context["db"],
  query: GroupQuery,
  page: PageRequest,
): Promise<Page<Group>> {
  const { period, groupBy, withPrevious } = query;
  const range = withPrevious ? { from: previousPeriod(period).from, to: period.to } : period;
  const byAd = groupBy.includes("ad_group") || groupBy.includes("ad");
  const parts = [...groupBy.map((name) => DIMENSIONS[name]), sql`moved.currency`];
  // COLLATE "C": the order must not depend on the database's locale, and the cursor compares in the same one.
  const dimensions = sql`ARRAY[${sql.join(parts, sql`, `)}]::text[] COLLATE "C"`;
  // Days of the period before are moved into this one, so that both fall into the same group.
  const result = await db.execute(sql`
    WITH ${dayRows(query.where, range, byAd)}, dated AS (
      SELECT facts.*, facts.day >= ${period.from}::date AS is_current FROM facts
    ), moved AS (
      SELECT dated.*, CASE WHEN is_current THEN day ELSE day + ${lengthOf(period)}::integer END AS slot FROM dated
    ), grouped AS (
      SELECT ${dimensions} AS dimensions, ${groupBy.includes("campaign") ? CAMPAIGN : sql`NULL::jsonb`} AS campaign,
        ${sortValue(query.sort)} AS sort_value, ${sumsWhere(sql`is_current`)} AS current,
        ${withPrevious ? sumsWhere(sql`NOT is_current`) : sql`NULL::jsonb`} AS previous
      FROM moved GROUP BY 1
    )
    SELECT to_jsonb(dimensions) AS dimensions, campaign, sort_value::text AS sort_value, current, previous
    FROM grouped WHERE ${afterCursor(page.cursor, parts.length)}
    ORDER BY grouped.sort_value DESC, grouped.dimensions LIMIT ${page.limit + 1}
  `);
  return toPage(rowsOf(row, result), page.limit, toGroup, (found) => [
    found.sort_value,
    ...found.dimensions,
  ]);
}

/** All groups of a query, which is for those that are known to be few. */
export async function readAllGroups(
  db: Context["db"],
  query: GroupQuery,
  most: number,
): Promise<{ groups: Group[]; complete: boolean }> {
  const { items, nextCursor } = await readGroups(db, query, { limit: most });
  return { groups: items, complete: nextCursor === null };
}

function toGroup({ dimensions, campaign, current, previous }: z.output<typeof row>): Group {
  return {
    values: dimensions.slice(0, -1),
    currency: dimensions.at(-1) ?? "",
    campaign,
    current: toSums(current),
    previous: previous === null ? null : toSums(previous),
  };
}

/** The sums of some of a group's rows as JSON, each as text, since no driver reads large numbers exactly. */
function sumsWhere(condition: SQL): SQL {
  const fields = Object.values(COLUMN_OF).map(
    (column) =>
      sql`${column}::text, (sum(${sql.identifier(column)}) FILTER (WHERE ${condition}))::text`,
  );
  return sql`jsonb_build_object(${sql.join(fields, sql`, `)})`;
}

/** Groups without the value come last. */
function sortValue(sort: SumName | null): SQL {
  if (sort === null) return sql`0::numeric`;
  const column = sql.identifier(COLUMN_OF[sort]);
  return sql`coalesce(sum(${column}) FILTER (WHERE is_current), -1e30)::numeric`;
}

function afterCursor(cursor: string | undefined, dimensions: number): SQL {
  if (cursor === undefined) return sql`true`;
  const [value = "", ...rest] = decodeCursor(cursor, dimensions + 1).map(String);
  if (!/^-?\d{1,40}$/.test(value)) return sql`false`;
  const last = sql`ARRAY[${sql.join(
    rest.map((part) => sql`${part}`),
    sql`, `,
  )}]::text[] COLLATE "C"`;
  return sql`(sort_value < ${value}::numeric OR (sort_value = ${value}::numeric AND dimensions > ${last}))`;
}
