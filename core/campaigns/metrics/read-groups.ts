import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import type { Context } from "../../kernel/context.ts";
import { decodeCursor, type Page, type PageRequest, toPage } from "../../kernel/page.ts";
import { rowsOf } from "../../kernel/sql-rows.ts";
import { dayRows } from "./day-rows.ts";
import { lengthOf, type Period, previousPeriod } from "./days.ts";
import { sumColumns, type SumName, type Sums, toSums } from "./sums.ts";

/** A dimension: what rows of `moved` are grouped by, and how a group's value is written as text where that is not one. */
interface GroupedBy {
  of: SQL;
  format?: string;
}

/** What metrics can be grouped by. Texts are made of groups, not of rows, of which there are many more. */
const DIMENSIONS = {
  day: { of: sql`moved.slot`, format: "YYYY-MM-DD" },
  week: { of: sql`date_trunc('week', moved.slot)`, format: "YYYY-MM-DD" },
  month: { of: sql`date_trunc('month', moved.slot)`, format: "YYYY-MM" },
  platform: { of: sql`moved.platform` },
  channel: { of: sql`coalesce(moved.channel, '')` },
  campaign: { of: sql`moved.id` },
  ad_group: { of: sql`moved.ad_group` },
  ad: { of: sql`moved.ad` },
} as const satisfies Record<string, GroupedBy>;
export type Dimension = keyof typeof DIMENSIONS;
export const DIMENSION_NAMES = Object.keys(DIMENSIONS) as Dimension[]; // Object.keys loses the literal type

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
  const keys = listed([...groupBy.map(keyOf), sql`moved.currency`]);
  // COLLATE "C": the order must not depend on the database's locale, and the cursor compares in the same one.
  const dimensions = sql`ARRAY[${listed([...groupBy.map(textOf), sql`currency`])}]::text[] COLLATE "C"`;
  // Days of the period before are moved into this one, so that both fall into the same group.
  const result = await db.execute(sql`
    WITH ${dayRows(query.where, range, byAd)}, dated AS (
      SELECT facts.*, facts.day >= ${period.from}::date AS is_current FROM facts
    ), moved AS (
      SELECT dated.*, CASE WHEN is_current THEN day ELSE day + ${lengthOf(period)}::integer END AS slot FROM dated
    ), grouped AS (
      SELECT ${keys}, ${withPrevious ? sql`${sumsWhere("current", sql`is_current`)}, ${sumsWhere("previous", sql`NOT is_current`)}` : sumsWhere("current", null)}
      FROM moved GROUP BY ${listed(Array.from({ length: groupBy.length + 1 }, (_, at) => sql.raw(String(at + 1))))}
    ), sorted AS (
      SELECT ${dimensions} AS dimensions, ${sortValue(query.sort)} AS sort_value, grouped.* FROM grouped
    ), page AS (
      SELECT * FROM sorted WHERE ${afterCursor(page.cursor, groupBy.length + 1)}
      ORDER BY sort_value DESC, dimensions LIMIT ${page.limit + 1}
    )
    SELECT to_jsonb(dimensions) AS dimensions, sort_value::text AS sort_value,
      ${groupBy.includes("campaign") ? CAMPAIGN : sql`NULL::jsonb`} AS campaign, ${sumsOf("current")} AS current,
      ${withPrevious ? sumsOf("previous") : sql`NULL::jsonb`} AS previous
    FROM page ORDER BY page.sort_value DESC, page.dimensions
  `);
  return toPage(rowsOf(row, result), page.limit, toGroup, (found) => [
    found.sort_value,
    ...found.dimensions,
  ]);
}

const listed = (parts: SQL[]) => sql.join(parts, sql`, `);
const keyName = (name: Dimension) => sql.identifier(`by_${name}`);
const keyOf = (name: Dimension) => sql`${DIMENSIONS[name].of} AS ${keyName(name)}`;

function textOf(name: Dimension): SQL {
  const { format }: GroupedBy = DIMENSIONS[name];
  return format === undefined ? sql`${keyName(name)}` : sql`to_char(${keyName(name)}, ${format})`;
}

/** Of a group that is one campaign's. */
const CAMPAIGN = sql`(
  SELECT jsonb_build_object('name', name, 'platform', platform, 'channel', channel) FROM selected WHERE id = by_campaign
)`;

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

type Which = "current" | "previous";
const sumName = (which: Which, column: string) => sql.identifier(`${which}_${column}`);

/** The sums of a group's rows, or of some of them. */
function sumsWhere(which: Which, condition: SQL | null): SQL {
  const filter = condition === null ? sql`` : sql`FILTER (WHERE ${condition})`;
  return listed(
    Object.values(COLUMN_OF).map(
      (column) => sql`sum(${sql.identifier(column)}) ${filter} AS ${sumName(which, column)}`,
    ),
  );
}

/** The sums of a group as JSON, each as text, since no driver reads large numbers exactly. */
function sumsOf(which: Which): SQL {
  const fields = Object.values(COLUMN_OF).map(
    (column) => sql`${column}::text, ${sumName(which, column)}::text`,
  );
  return sql`jsonb_build_object(${listed(fields)})`;
}

/** Groups without the value come last. */
function sortValue(sort: SumName | null): SQL {
  if (sort === null) return sql`0::numeric`;
  return sql`coalesce(${sumName("current", COLUMN_OF[sort])}, -1e30)::numeric`;
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
