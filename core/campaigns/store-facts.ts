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

/**
 * Stores facts of a team's campaigns in one statement, each part of a file once. Their days become dirty with them, or
 * not at all.
 *
 * Locks are taken in one order by everybody, so that nobody waits in a circle: campaigns, facts, marks. The campaigns
 * are held shared in place of a foreign key, so that none is deleted under its new facts. A mark that is there already
 * is locked, though not changed; see storeUsageRecords for why.
 * @throws Error of Postgres for a key that comes twice, a number or a text that is too large
 */
export async function storeFacts(
  db: Database,
  teamId: string,
  importNumber: number,
  facts: FactColumns,
): Promise<StoredFacts> {
  return store(db, { teamId, importNumber, facts, onConflict: MERGE });
}

/**
 * The same for facts of which there are none with these keys yet, in two thirds of the time: nothing has to be looked
 * up before it is written.
 * @throws Error of Postgres, a violation of uniqueness, where there is one after all; nothing is written then, and the
 * transaction has to go back to before
 */
export async function storeNewFacts(
  db: Database,
  teamId: string,
  importNumber: number,
  facts: FactColumns,
): Promise<StoredFacts> {
  return store(db, { teamId, importNumber, facts, onConflict: sql`` });
}

interface Storing {
  teamId: string;
  importNumber: number;
  facts: FactColumns;
  onConflict: SQL;
}

async function store(
  db: Database,
  { teamId, importNumber, facts, onConflict }: Storing,
): Promise<StoredFacts> {
  const rows = facts.campaign.length;
  if (rows === 0) return { changed: 0, orphaned: 0 };
  const input = inputOf(facts);
  const result = await db.execute(sql`
    WITH held AS MATERIALIZED (
      SELECT number FROM campaigns
      WHERE team_id = ${teamId} AND number = ANY(${array([...new Set(facts.campaign)])}::bigint[])
      ORDER BY number FOR KEY SHARE
    ),
    written AS (
      INSERT INTO campaign_facts AS fact (
        campaign, day, ad_group, ad, segment, impressions, clicks, spend_micros, conversion_micros, revenue_micros,
        import_number
      )
      SELECT ${input.selected}, ${importNumber}::integer
      FROM unnest(${input.arrays}) AS input (${input.names})
      JOIN held ON held.number = input.campaign
      ORDER BY ${input.order}
      ${onConflict}
      RETURNING fact.campaign, fact.day
    ),
    marked AS (
      INSERT INTO campaign_dirty_days (campaign, day)
      SELECT DISTINCT campaign, day FROM written ORDER BY 1, 2
      ON CONFLICT (campaign, day) DO UPDATE SET day = excluded.day WHERE false
    )
    SELECT count(*) AS changed FROM written
  `);
  const changed = rowsOf(counts, result)[0]?.changed ?? 0;
  return { changed, orphaned: rows - changed };
}

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
