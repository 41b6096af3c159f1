import { eq } from "drizzle-orm";
import type { z } from "zod";
import { teams } from "#schema";
import { audit } from "../audit/audit.ts";
import type { Context } from "../kernel/context.ts";
import { requireScope } from "../kernel/principal.ts";
import { noSuchTeam, reachTeam } from "../teams/reach-team.ts";
import { changeTeam } from "../teams/team-epoch.ts";
import { compileGuardRails, refuseReplacementsThatMatch } from "./guard-rails.ts";
import { digestOf, storedRules } from "./load-guard-rails.ts";
import type { GuardRail, putGuardRailsInput } from "./rules.ts";

/**
 * Sets all guard rails of a team, which hold everywhere within a second. Answers that the response cache kept under
 * other rules are not given any more.
 * @throws AppError `missing_scope` without the scope `admin`, `not_found`, `validation_failed`
 */
export async function setGuardRails(
  context: Context,
  input: z.infer<typeof putGuardRailsInput> & { teamId: string },
): Promise<GuardRail[]> {
  const teamId = reachTeam(context.principal, input.teamId);
  requireScope(context.principal, "admin");
  const { rules } = input;
  const digest = await digestOf(rules);
  refuseReplacementsThatMatch(rules, compileGuardRails(rules, digest ?? ""));
  await changeTeam(context, teamId, async (inner) => {
    const own = eq(teams.id, teamId);
    const [before] = await inner.db
      .select({ rules: teams.guardRails })
      .from(teams)
      .where(own)
      .for("no key update");
    if (!before) throw noSuchTeam();
    const changed = {
      guardRails: rules.length === 0 ? null : rules,
      guardRailsDigest: digest,
      updatedAt: context.now(),
    };
    await inner.db.update(teams).set(changed).where(own);
    await audit(inner, {
      action: "team.guard_rails.set",
      teamId,
      targetId: teamId,
      before: { guard_rails: storedRules(before.rules) },
      after: { guard_rails: rules },
    });
  });
  context.log.info("guard_rails_set", { team_id: teamId, rules: rules.length });
  return rules;
}
