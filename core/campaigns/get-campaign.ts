import type { Context } from "../kernel/context.ts";
import { type Campaign, reachCampaign, toCampaign } from "./campaign.ts";

/**
 * One campaign. Needs the scope `skills`.
 * @throws AppError `missing_scope`, `forbidden`, `not_found`
 */
export async function getCampaign(
  context: Context,
  input: { campaignId: string },
): Promise<Campaign> {
  return toCampaign(await reachCampaign(context, input.campaignId));
}
