import { and, desc, eq, lt } from "drizzle-orm";
import { teams } from "#schema";
import type { Context } from "../kernel/context.ts";
import { decodeCursor, type Page, type PageRequest, toPage } from "../kernel/page.ts";
import { isAppUser, teamScope } from "../kernel/principal.ts";
import { withTeamLimits } from "../limits/read-limits.ts";
import type { Team } from "./team.ts";

/**
 * The teams that the principal can see, the newest first: all for a super admin, their own for others, none for the
 * users of a team's app.
 */
export async function listTeams(context: Context, page: PageRequest): Promise<Page<Team>> {
  const own = teamScope(context.principal);
  if (isAppUser(context.principal)) return { items: [], nextCursor: null };
  const before = page.cursor === undefined ? undefined : String(decodeCursor(page.cursor, 1)[0]);
  const rows = await context.db
    .select()
    .from(teams)
    .where(
      and(
        own === null ? undefined : eq(teams.id, own),
        before === undefined ? undefined : lt(teams.id, before),
      ),
    )
    .orderBy(desc(teams.id))
    .limit(page.limit + 1);
  const { items, nextCursor } = toPage(
    rows,
    page.limit,
    ({ epoch: _, ...team }) => team,
    (team) => [team.id],
  );
  return { items: await withTeamLimits(context.db, items), nextCursor };
}
