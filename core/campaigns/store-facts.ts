import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import type { Database } from "../kernel/context.ts";
import { rowsOf } from "../kernel/sql-rows.ts";

/** A number of a fact: whole, up to 2^63. Null is "the file does not say". */
export type Amount = bigint | number | null;

/**
 * Facts as columns of equal length, which is how they travel to Postgres: arrays of plain values cost neither side an
 * object for each row. No key (campaign, day, adGroup, ad, segment) may come twice; add such rows up before.
 */
export interface FactColumns {
  /** `campaigns.number`. */
  campaign: number[];
  /** `2026-11-21`. */
  day: string[];
  /** `''` where the file has no such column; 800 bytes at most, as are the next two. */
  adGroup: string[];
  ad: string[];
  segment: string[];
  impressions: Amount[];
  clicks: Amount[];
  spendMicros: Amount[];
  conversionMicros: Amount[];
  revenueMicros: Amount[];
}

export interface StoredFacts {
  /** Facts that are new or that this file says. */
  changed: number;
  /** Facts whose campaign is not, or no longer, the team's; nothing was written of them. */
  orphaned: number;
}

const counts = z.object({ changed: z.coerce.number() });
const numbered = z.object({ number: z.coerce.number() });

/**
 * Stores facts of a team's campaigns, each part of a file once, and their days' sums with them: what the facts say now
 * less what they said before is added to `campaign_days`, so that metrics are right and quick also in the middle of an
 * import. A day becomes dirty only where that does not tell its sum; see OPEN.
 *
 * The campaigns are held before anything is read or written, by whoever changes their facts, sums or marks, and in the
 * order of their numbers, so that nobody waits in a circle and what was there before is exactly known. It stands in place
 * of a foreign key too: none is deleted under its new facts.
 * @throws Error of Postgres for a key that comes twice, a number or a text that is too large
 */
export async function storeFacts(
  db: Database,
  teamId: string,
  importNumber: number,
  facts: FactColumns,
): Promise<StoredFacts> {
  return store(db, { teamId, importNumber, facts, mayBeThere: true });
}

/**
 * The same for facts of which there are none with these keys yet, in two thirds of the time: nothing has to be looked
 * up before it is written.
 * @throws Error of Postgres, a violation of uniqueness, where there is one after all; nothing is written then, and the
 * caller's transaction can go on
 */
export async function storeNewFacts(
  db: Database,
  teamId: string,
  importNumber: number,
  facts: FactColumns,
): Promise<StoredFacts> {
  return store(db, { teamId, importNumber, facts, mayBeThere: false });
}

interface Storing {
  teamId: string;
  importNumber: number;
  facts: FactColumns;
  mayBeThere: boolean;
}

async function store(
  db: Database,
  { teamId, importNumber, facts, mayBeThere }: Storing,
): Promise<StoredFacts> {
  const rows = facts.campaign.length;
  if (rows === 0) return { changed: 0, orphaned: 0 };
  return db.transaction(async (inner) => {
    const held = rowsOf(
      numbered,
      await inner.execute(sql`
        SELECT number FROM campaigns
        WHERE team_id = ${teamId} AND number = ANY(${array([...new Set(facts.campaign)])}::bigint[])
        ORDER BY number FOR NO KEY UPDATE
      `),
    ).map(({ number }) => number);
    if (held.length === 0) return { changed: 0, orphaned: rows };
    // A statement of its own: its snapshot has whatever those committed who held the campaigns before.
    const result = await inner.execute(statement({ importNumber, facts, mayBeThere }, held));
    const changed = rowsOf(counts, result)[0]?.changed ?? 0;
    return { changed, orphaned: rows - changed };
  });
}

function statement({ importNumber, facts, mayBeThere }: Omit<Storing, "teamId">, held: number[]) {
  const input = inputOf(facts);
  return sql`
    WITH input AS ${sql.raw(mayBeThere ? "MATERIALIZED" : "NOT MATERIALIZED")} (
      SELECT ${input.selected} FROM unnest(${input.arrays}) AS input (${input.names})
      JOIN unnest(${array(held)}::bigint[]) AS held (number) ON held.number = input.campaign
    ),
    ${mayBeThere ? BEFORE : sql``}
    written AS (
      INSERT INTO campaign_facts AS fact (${KEY}, ${LISTED_SUMS}, import_number)
      SELECT ${KEY}, ${LISTED_SUMS}, ${importNumber}::integer FROM input ORDER BY ${input.order}
      ${mayBeThere ? MERGE : sql``}
      RETURNING fact.campaign, fact.day, ${LISTED_SUMS}
    ),
    ${mayBeThere ? CHANGES : ADDITIONS},
    ${ADDED_UP}
    SELECT count(*) AS changed FROM written
  `;
}

const SUM_NAMES = [
  "impressions",
  "clicks",
  "spend_micros",
  "conversion_micros",
  "revenue_micros",
] as const;
const KEY = sql.raw("campaign, day, ad_group, ad, segment");
const LISTED_SUMS = sql.raw(SUM_NAMES.join(", "));
const eachSum = (write: (name: string) => string, between = ", ") =>
  sql.raw(SUM_NAMES.map(write).join(between));

/** What the facts said before. */
const BEFORE = sql`before AS MATERIALIZED (
  SELECT fact.campaign, fact.day, ${eachSum((name) => `fact.${name}`)} FROM input JOIN campaign_facts AS fact
    ON fact.campaign = input.campaign AND fact.day = input.day AND fact.ad_group = input.ad_group COLLATE "C"
    AND fact.ad = input.ad COLLATE "C" AND fact.segment = input.segment COLLATE "C"
),`;

const ADDITIONS = sql`changes AS (
  SELECT campaign, day, ${eachSum((name) => `sum(${name}) AS ${name}`)}, false AS is_open FROM written GROUP BY campaign, day
)`;

/**
 * Where no fact says a number any more that one said before, only the day's other facts tell whether its sum is nothing
 * or "nobody says": it is summed anew.
 */
const OPEN = eachSum(
  (name) => `(count(${name}) > 0 AND count(${name}) FILTER (WHERE is_now) = 0)`,
  " OR ",
);
const CHANGES = sql`changes AS (
  SELECT campaign, day, ${eachSum(
    (name) => `CASE WHEN count(${name}) > 0 THEN
      coalesce(sum(${name}) FILTER (WHERE is_now), 0) - coalesce(sum(${name}) FILTER (WHERE NOT is_now), 0) END AS ${name}`,
  )}, ${OPEN} AS is_open
  FROM (SELECT *, true AS is_now FROM written UNION ALL SELECT *, false FROM before) AS said GROUP BY campaign, day
)`;

/** The changes, into the sums of days and the campaigns' ends. */
const ADDED_UP = sql`days AS (
  INSERT INTO campaign_days AS known (campaign, day, ${LISTED_SUMS})
  SELECT campaign, day, ${LISTED_SUMS} FROM changes ORDER BY campaign, day
  ON CONFLICT (campaign, day) DO UPDATE SET ${eachSum(
    (name) =>
      `${name} = coalesce(known.${name} + excluded.${name}, known.${name}, excluded.${name})`,
  )}
),
marked AS (
  INSERT INTO campaign_dirty_days (campaign, day) SELECT campaign, day FROM changes WHERE is_open
  ON CONFLICT (campaign, day) DO NOTHING
),
ends AS (
  UPDATE campaigns SET first_day = least(campaigns.first_day, said.first_day), last_day = greatest(campaigns.last_day, said.last_day),
    updated_at = now()
  FROM (SELECT campaign, min(day) AS first_day, max(day) AS last_day FROM changes GROUP BY campaign) AS said
  WHERE number = said.campaign AND (
    campaigns.first_day IS NULL OR said.first_day < campaigns.first_day OR said.last_day > campaigns.last_day
  )
)`;

/** Columns of the statement's input, in the order of its INSERT: name, type, and what stands for "nothing". */
const COLUMNS = [
  ["campaign", "campaign", "bigint", null],
  ["day", "day", "date", null],
  ["adGroup", "ad_group", "text", ""],
  ["ad", "ad", "text", ""],
  ["segment", "segment", "text", ""],
  ["impressions", "impressions", "bigint", null],
  ["clicks", "clicks", "bigint", null],
  ["spendMicros", "spend_micros", "bigint", null],
  ["conversionMicros", "conversion_micros", "bigint", null],
  ["revenueMicros", "revenue_micros", "bigint", null],
] as const;

/** What a file has not, such as ads, does not travel value by value: each column costs a tenth of the time. */
function inputOf(facts: FactColumns): { selected: SQL; arrays: SQL; names: SQL; order: SQL } {
  const selected: SQL[] = [];
  const arrays: SQL[] = [];
  const names: SQL[] = [];
  // Without the texts that all rows have alike.
  const order: SQL[] = [sql`input.campaign`, sql`input.day`];
  for (const [key, name, type, nothing] of COLUMNS) {
    const values: readonly (string | Amount)[] = facts[key];
    const says = values.some((value) => value !== nothing);
    const of = sql.raw(name);
    if (says) {
      selected.push(sql`input.${of}`);
      arrays.push(sql`${array(values)}::${sql.raw(type)}[]`);
      names.push(of);
      if (type === "text") order.push(sql`input.${of} COLLATE "C"`);
    } else selected.push(sql`${nothing}::${sql.raw(type)} AS ${of}`);
  }
  const listed = (parts: SQL[]) => sql.join(parts, sql`, `);
  return {
    selected: listed(selected),
    arrays: listed(arrays),
    names: listed(names),
    order: listed(order),
  };
}

/**
 * What a fact says once a file has said it: rows of one file are parts of a whole and add up, also where they stand far
 * from each other; a later file's first row replaces what earlier files said. So each row has to bear its file's number,
 * even one that says what is there already: otherwise the file's next row of the same key could not be told from a new
 * truth. That a file which comes twice changes nothing at all is for the import to see to.
 */
function merged(column: string): SQL {
  const [old, more] = [sql.raw(`fact.${column}`), sql.raw(`excluded.${column}`)];
  return sql`CASE WHEN fact.import_number = excluded.import_number
    THEN coalesce(${old} + ${more}, ${old}, ${more}) ELSE ${more} END`;
}

const MERGE = sql`
  ON CONFLICT (campaign, day, ad_group, ad, segment) DO UPDATE SET
    impressions = ${merged("impressions")}, clicks = ${merged("clicks")},
    spend_micros = ${merged("spend_micros")}, conversion_micros = ${merged("conversion_micros")},
    revenue_micros = ${merged("revenue_micros")}, import_number = excluded.import_number
`;

/**
 * One parameter for a whole column, as Postgres writes arrays: the driver would make the same text of each value by
 * itself, for which it takes as long as Postgres takes to store it. Numbers, days and names that need no quoting are
 * most of all.
 */
function array(values: readonly (string | Amount)[]): SQL {
  return sql`${sql.param(arrayText(values))}`;
}

/** Characters that have a meaning within quotation marks of an array. */
const SPECIAL = /["\\]/g;

function arrayText(values: readonly (string | Amount)[]): string {
  if (typeof values[0] !== "string") {
    const numbers = values.includes(null) ? values.map((value) => value ?? "NULL") : values;
    return `{${numbers.join(",")}}`;
  }
  const isPlain = !/["\\]/.test(values.join(" "));
  if (isPlain) return `{"${values.join('","')}"}`;
  return `{"${values.map((value) => String(value).replace(SPECIAL, "\\$&")).join('","')}"}`;
}
