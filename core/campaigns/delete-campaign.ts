import { eq } from "drizzle-orm";
import { campaigns } from "#schema";
import { audit } from "../audit/audit.ts";
import type { Context } from "../kernel/context.ts";
import { requireScope } from "../kernel/principal.ts";
import { noSuchCampaign, reachCampaign } from "./campaign.ts";

/**
 * Erases a campaign with all its facts. The next import of a file that names it makes it anew. Needs the scope `admin`.
 * @throws AppError `missing_scope`, `not_found`
 */
export async function deleteCampaign(
  context: Context,
  input: { campaignId: string },
): Promise<void> {
  requireScope(context.principal, "admin");
  const { id, teamId } = await reachCampaign(context, input.campaignId);
  await context.transaction(async (inner) => {
    const [before] = await inner.db.delete(campaigns).where(eq(campaigns.id, id)).returning();
    if (!before) throw noSuchCampaign();
    await audit(inner, { action: "campaign.delete", teamId, targetId: id, before });
  });
  context.log.info("campaign_deleted", { team_id: teamId, campaign_id: id });
}
