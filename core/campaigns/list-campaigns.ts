import { and, asc, gt } from "drizzle-orm";
import type { z } from "zod";
import { campaigns } from "#schema";
import type { Context } from "../kernel/context.ts";
import { decodeCursor, type Page, type PageRequest, toPage } from "../kernel/page.ts";
import { type Campaign, campaignTeam, toCampaign } from "./campaign.ts";
import { campaignFilter, campaignsWhere } from "./campaign-filter.ts";

export const listCampaignsInput = campaignFilter;

/**
 * The team's campaigns, in the order in which they were first imported. Needs the scope `skills`.
 * @throws AppError `missing_scope`, `forbidden`, `invalid_request`
 */
export async function listCampaigns(
  context: Context,
  input: z.output<typeof listCampaignsInput>,
  page: PageRequest,
): Promise<Page<Campaign>> {
  const teamId = campaignTeam(context.principal);
  const after = page.cursor === undefined ? undefined : String(decodeCursor(page.cursor, 1)[0]);
  const rows = await context.db
    .select()
    .from(campaigns)
    .where(
      and(campaignsWhere(teamId, input), after === undefined ? undefined : gt(campaigns.id, after)),
    )
    .orderBy(asc(campaigns.id))
    .limit(page.limit + 1);
  return toPage(rows, page.limit, toCampaign, (row) => [row.id]);
}
