import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Context } from "../../kernel/context.ts";
import { rowsOf } from "../../kernel/sql-rows.ts";

/** Campaigns that one transaction looks through. */
const CAMPAIGNS_PER_CHUNK = 20;

const campaignNumber = z.object({ number: z.coerce.number() });

/** How much a fact tells: of an ad, of an ad group, or of the campaign as a whole. */
const level = (fact: string) =>
  sql.raw(`CASE WHEN ${fact}.ad <> '' THEN 2 WHEN ${fact}.ad_group <> '' THEN 1 ELSE 0 END`);

/**
 * Removes what earlier files said of the same day of a campaign at another level of detail: a file by ad and one by
 * campaign say the same money twice. Campaigns that the import itself has made have no earlier facts. May be repeated.
 * @returns how many facts were removed
 */
export async function settleLevels(
  context: Pick<Context, "transaction">,
  { teamId, importNumber }: { teamId: string; importNumber: number },
): Promise<number> {
  let after = 0;
  let removed = 0;
  for (;;) {
    const chunk = await context.transaction(async ({ db }) => {
      const held = rowsOf(
        campaignNumber,
        await db.execute(sql`
          SELECT number FROM campaigns
          WHERE team_id = ${teamId} AND last_import = ${importNumber} AND number > ${after}
            AND created_at < (SELECT created_at FROM campaign_imports WHERE number = ${importNumber})
          ORDER BY number LIMIT ${CAMPAIGNS_PER_CHUNK} FOR NO KEY UPDATE
        `),
      ).map(({ number }) => number);
      if (held.length === 0) return { last: null, removed: 0 };
      const numbers = sql`${sql.param(held)}::bigint[]`;
      const gone = rowsOf(
        z.object({ removed: z.coerce.number() }),
        await db.execute(sql`
          WITH told AS (
            SELECT campaign, day, max(${level("fact")}) AS level FROM campaign_facts AS fact
            WHERE campaign = ANY(${numbers}) AND import_number = ${importNumber} GROUP BY campaign, day
          ),
          gone AS (
            DELETE FROM campaign_facts AS fact USING told
            WHERE fact.campaign = told.campaign AND fact.day = told.day AND fact.import_number <> ${importNumber}
              AND ${level("fact")} <> told.level
            RETURNING fact.campaign, fact.day
          ),
          marked AS (
            INSERT INTO campaign_dirty_days (campaign, day)
            SELECT DISTINCT campaign, day FROM gone ORDER BY 1, 2
            ON CONFLICT (campaign, day) DO UPDATE SET day = excluded.day WHERE false
          )
          SELECT count(*) AS removed FROM gone
        `),
      );
      return { last: held.at(-1) ?? null, removed: gone[0]?.removed ?? 0 };
    });
    removed += chunk.removed;
    if (chunk.last === null) return removed;
    after = chunk.last;
  }
}
