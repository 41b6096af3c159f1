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

const counts = z.object({ changed: z.coerce.number(), orphaned: z.coerce.number() });

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
  if (facts.campaign.length === 0) return { changed: 0, orphaned: 0 };
  const result = await db.execute(sql`
    WITH input AS (
      SELECT * FROM unnest(
        ${array(facts.campaign)}::bigint[], ${array(facts.day)}::date[], ${array(facts.adGroup)}::text[],
        ${array(facts.ad)}::text[], ${array(facts.segment)}::text[], ${array(facts.impressions)}::bigint[],
        ${array(facts.clicks)}::bigint[], ${array(facts.spendMicros)}::bigint[],
        ${array(facts.conversionMicros)}::bigint[], ${array(facts.revenueMicros)}::bigint[]
      ) AS fact (campaign, day, ad_group, ad, segment, impressions, clicks, spend_micros, conversion_micros, revenue_micros)
    ),
    held AS MATERIALIZED (
      SELECT number FROM campaigns
      WHERE team_id = ${teamId} AND number = ANY(${array([...new Set(facts.campaign)])}::bigint[])
      ORDER BY number FOR KEY SHARE
    ),
    written AS (
      INSERT INTO campaign_facts AS fact (
        campaign, day, ad_group, ad, segment, impressions, clicks, spend_micros, conversion_micros, revenue_micros,
        import_number
      )
      SELECT input.*, ${importNumber}::integer FROM input JOIN held ON held.number = input.campaign
      ORDER BY campaign, day, ad_group COLLATE "C", ad COLLATE "C", segment COLLATE "C"
      ON CONFLICT (campaign, day, ad_group, ad, segment) DO UPDATE SET
        impressions = ${merged("impressions")}, clicks = ${merged("clicks")},
        spend_micros = ${merged("spend_micros")}, conversion_micros = ${merged("conversion_micros")},
        revenue_micros = ${merged("revenue_micros")}, import_number = excluded.import_number
      RETURNING fact.campaign, fact.day
    ),
    marked AS (
      INSERT INTO campaign_dirty_days (campaign, day)
      SELECT DISTINCT campaign, day FROM written ORDER BY 1, 2
      ON CONFLICT (campaign, day) DO UPDATE SET day = excluded.day WHERE false
    )
    SELECT (SELECT count(*) FROM written) AS changed,
      (SELECT count(*) FROM input WHERE NOT EXISTS (SELECT 1 FROM held WHERE held.number = input.campaign)) AS orphaned
  `);
  return rowsOf(counts, result)[0] ?? { changed: 0, orphaned: 0 };
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

/** One parameter for a whole column; drizzle would otherwise make one of each of its values. */
function array(values: readonly (string | Amount)[]): SQL {
  return sql`${sql.param(values)}`;
}
