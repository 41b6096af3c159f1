import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { isPlainText } from "../kernel/text.ts";

/** How many values one filter may name. */
const MOST_VALUES = 50;

/** A name in a filter; Postgres takes no NUL in a text. */
const name = z.string().trim().min(1).max(200).refine(isPlainText, "must be plain text");

/** One or several, separated by commas. */
const list = z
  .string()
  .max(5_000)
  .transform((text) => text.split(",").map((part) => part.trim()))
  .pipe(z.array(name).max(MOST_VALUES));

/** Which campaigns are meant; all of the team's where nothing is said. */
export const campaignFilter = z.object({
  platform: list.optional().describe("One or several, as `google_ads,meta`"),
  channel: list.optional().describe("One or several, as `search,display`"),
  currency: list
    .optional()
    .describe("ISO 4217; amounts of different currencies are never added up"),
  search: name.optional().describe("A part of the campaign's name"),
});
export type CampaignFilter = z.output<typeof campaignFilter>;

/** The campaigns of a team that a filter means, as a WHERE over `campaigns`. */
export function campaignsWhere(
  teamId: string,
  filter: CampaignFilter & { campaign_id?: string[] | undefined },
): SQL {
  const conditions = [sql`campaigns.team_id = ${teamId}`];
  const among = (column: string, values: string[] | undefined) => {
    if (values === undefined) return;
    conditions.push(sql`campaigns.${sql.identifier(column)} = ANY(${sql.param(values)}::text[])`);
  };
  among("id", filter.campaign_id);
  among("platform", filter.platform);
  among("channel", filter.channel);
  among("currency", filter.currency);
  if (filter.search !== undefined) {
    const pattern = `%${filter.search.replaceAll(/[\\%_]/g, "\\$&")}%`;
    conditions.push(sql`campaigns.name ILIKE ${pattern}`);
  }
  return sql.join(conditions, sql` AND `);
}

/** Fewer of those that a WHERE means. */
export function amongCampaigns(where: SQL, ids: string[]): SQL {
  return sql`${where} AND campaigns.id = ANY(${sql.param(ids)}::text[])`;
}
