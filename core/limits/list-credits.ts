import { and, desc, eq, lt } from "drizzle-orm";
import { creditGrants } from "#schema";
import type { Context } from "../kernel/context.ts";
import { decodeCursor, type Page, type PageRequest, toPage } from "../kernel/page.ts";
import { requireScope } from "../kernel/principal.ts";
import { holdTeam, reachTeam } from "../teams/reach-team.ts";
import type { CreditGrant } from "./grant-credits.ts";

/**
 * The ledger of a team's prepaid credits, the newest entry first. Refills are written into it with the next grant.
 * @throws AppError `missing_scope` without the scope `admin`, `not_found`
 */
export async function listCredits(
  context: Context,
  input: PageRequest & { teamId: string },
): Promise<Page<CreditGrant>> {
  const teamId = reachTeam(context.principal, input.teamId);
  requireScope(context.principal, "admin");
  await holdTeam(context.db, teamId);
  const before = input.cursor === undefined ? undefined : String(decodeCursor(input.cursor, 1)[0]);
  const rows = await context.db
    .select()
    .from(creditGrants)
    .where(
      and(
        eq(creditGrants.teamId, teamId),
        before === undefined ? undefined : lt(creditGrants.id, before),
      ),
    )
    .orderBy(desc(creditGrants.id))
    .limit(input.limit + 1);
  return toPage(
    rows,
    input.limit,
    (row) => row,
    (row) => [row.id],
  );
}
