import { sql } from "drizzle-orm";
import { z } from "zod";
import type { TransactionContext } from "../../kernel/context.ts";
import { newId } from "../../kernel/ids.ts";
import { rowsOf } from "../../kernel/sql-rows.ts";
import { type CampaignNames, campaignKey, naturalKeyOf } from "./campaign-book.ts";

const found = z.object({ place: z.coerce.number(), number: z.coerce.number() });

/** Campaigns of a file as they are stored. */
export interface NumberedCampaigns {
  /** `campaigns.number` of each, in the order in which they were given. */
  numbers: number[];
  /** How many of them are new. */
  added: number;
}

/**
 * The numbers of campaigns, made where the team has them not. Those that were there are not held: storeFacts holds all
 * that a chunk is about, in their order.
 */
export async function numberCampaigns(
  context: TransactionContext,
  { teamId, importNumber }: { teamId: string; importNumber: number },
  campaigns: readonly CampaignNames[],
): Promise<NumberedCampaigns> {
  if (campaigns.length === 0) return { numbers: [], added: 0 };
  const existing = await findCampaigns(context, teamId, campaigns);
  const missing = campaigns.filter((_, place) => !existing.has(place));
  await insertCampaigns(context, { teamId, importNumber }, missing);
  const all = missing.length === 0 ? existing : await findCampaigns(context, teamId, campaigns);
  const numbers = campaigns.map((campaign, place) => {
    const number = all.get(place);
    // Somebody deleted it in this moment; the chunk is done again.
    if (number === undefined) throw new Error(`The campaign ${campaignKey(campaign)} is gone`);
    return number;
  });
  return { numbers, added: missing.length };
}

/** One parameter for a whole column. */
const array = (values: readonly (string | number | null)[]) => sql`${sql.param(values)}`;

async function findCampaigns(
  { db }: TransactionContext,
  teamId: string,
  campaigns: readonly CampaignNames[],
): Promise<Map<number, number>> {
  const rows = rowsOf(
    found,
    await db.execute(sql`
      SELECT named.place, campaign.number
      FROM unnest(
        ${array(campaigns.map((_, place) => place))}::integer[], ${array(campaigns.map(({ platform }) => platform))}::text[],
        ${array(campaigns.map(naturalKeyOf))}::text[], ${array(campaigns.map(({ currency }) => currency))}::text[]
      ) AS named (place, platform, natural_key, currency)
      JOIN campaigns AS campaign ON campaign.team_id = ${teamId} AND campaign.platform = named.platform
        AND campaign.natural_key = named.natural_key AND campaign.currency = named.currency
    `),
  );
  return new Map(rows.map(({ place, number }) => [place, number]));
}

/**
 * Notes in campaigns which import named them last, and how. They have to be held by their numbers before.
 * @returns how many did not bear this import's number yet
 */
export async function touchCampaigns(
  { db }: TransactionContext,
  importNumber: number,
  { numbers, campaigns }: { numbers: readonly number[]; campaigns: readonly CampaignNames[] },
): Promise<number> {
  if (numbers.length === 0) return 0;
  const rows = rowsOf(
    z.object({ number: z.coerce.number() }),
    await db.execute(sql`
      UPDATE campaigns AS campaign SET last_import = ${importNumber}, name = named.name,
        channel = coalesce(named.channel, campaign.channel), updated_at = now()
      FROM unnest(
        ${array(numbers)}::bigint[], ${array(campaigns.map(({ name }) => name))}::text[],
        ${array(campaigns.map(({ channel }) => channel))}::text[]
      ) AS named (number, name, channel)
      WHERE campaign.number = named.number AND campaign.last_import IS DISTINCT FROM ${importNumber}
      RETURNING campaign.number
    `),
  );
  return rows.length;
}

/** Another import may make the same ones at once: then they are there, which is all that is asked. */
async function insertCampaigns(
  { db }: TransactionContext,
  { teamId, importNumber }: { teamId: string; importNumber: number },
  campaigns: readonly CampaignNames[],
): Promise<void> {
  if (campaigns.length === 0) return;
  await db.execute(sql`
    INSERT INTO campaigns (id, team_id, platform, natural_key, currency, external_id, name, channel, last_import)
    SELECT named.id, ${teamId}, named.platform, named.natural_key, named.currency, named.external_id, named.name,
      named.channel, ${importNumber}
    FROM unnest(
      ${array(campaigns.map(() => newId("campaign")))}::text[], ${array(campaigns.map(({ platform }) => platform))}::text[],
      ${array(campaigns.map(naturalKeyOf))}::text[], ${array(campaigns.map(({ currency }) => currency))}::text[],
      ${array(campaigns.map(({ externalId }) => externalId))}::text[], ${array(campaigns.map(({ name }) => name))}::text[],
      ${array(campaigns.map(({ channel }) => channel))}::text[]
    ) AS named (id, platform, natural_key, currency, external_id, name, channel)
    ON CONFLICT (team_id, platform, natural_key, currency) DO NOTHING
  `);
}
