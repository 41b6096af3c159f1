import { and, eq, sql } from "drizzle-orm";
import { campaigns } from "#schema";
import type { Context } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import { isId } from "../kernel/ids.ts";
import {
  isAppUser,
  type Principal,
  requireScope,
  requireTeam,
  teamScope,
} from "../kernel/principal.ts";

export type CampaignRow = typeof campaigns.$inferSelect;

/** What is told of a campaign; its number and key are between the tables. */
export interface Campaign {
  id: string;
  teamId: string;
  platform: string;
  externalId: string | null;
  name: string;
  channel: string | null;
  /** ISO 4217; `XXX` where no file said. */
  currency: string;
  /** The first and the last day with facts; null until an import has ended. */
  firstDay: string | null;
  lastDay: string | null;
  createdAt: Date;
  updatedAt: Date;
}

export function toCampaign(row: CampaignRow): Campaign {
  const { number: _number, naturalKey: _naturalKey, ...campaign } = row;
  return campaign;
}

/**
 * The team whose campaigns the principal may read. Users of a team's app are told nothing of what it spends.
 * @throws AppError `missing_scope`, `forbidden`, `invalid_request` (a super admin who names no team)
 */
export function campaignTeam(principal: Principal): string {
  allowedTeam(principal);
  return requireTeam(principal);
}

/** Null is every team, for super admins who name a thing by its id. */
function allowedTeam(principal: Principal): string | null {
  requireScope(principal, "skills");
  if (isAppUser(principal)) {
    throw new AppError("forbidden", { message: "Campaigns are for the team's own people." });
  }
  return teamScope(principal);
}

export function noSuchCampaign(): AppError {
  return new AppError("not_found", { message: "There is no such campaign." });
}

/**
 * A campaign that the principal may read.
 * @throws AppError `missing_scope`, `forbidden`, `not_found`
 */
export async function reachCampaign(
  context: Pick<Context, "principal" | "db">,
  campaignId: string,
): Promise<CampaignRow> {
  const team = allowedTeam(context.principal);
  const [row] = isId("campaign", campaignId)
    ? await context.db
        .select()
        .from(campaigns)
        .where(
          and(eq(campaigns.id, campaignId), team === null ? undefined : eq(campaigns.teamId, team)),
        )
    : [];
  if (!row) throw noSuchCampaign();
  return row;
}

/**
 * Makes sure that each is a campaign of the principal's own team.
 * @returns the team
 * @throws AppError `missing_scope`, `forbidden`, `not_found`, `invalid_request`
 */
export async function reachCampaigns(
  context: Pick<Context, "principal" | "db">,
  campaignIds: readonly string[],
): Promise<string> {
  const teamId = campaignTeam(context.principal);
  const wanted = [...new Set(campaignIds)];
  const found = await context.db
    .select({ id: campaigns.id })
    .from(campaigns)
    .where(
      and(eq(campaigns.teamId, teamId), sql`${campaigns.id} = ANY(${sql.param(wanted)}::text[])`),
    );
  if (found.length !== wanted.length) throw noSuchCampaign();
  return teamId;
}
