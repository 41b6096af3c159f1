import { eq } from "drizzle-orm";
import { z } from "zod";
import { teams } from "#schema";
import { JSON_BODY_LIMIT } from "../access/access-rules.ts";
import { compileIpRules, ipRulesInput, refuseLockout } from "../access/ip-rules.ts";
import { originList } from "../access/origins.ts";
import { audit } from "../audit/audit.ts";
import type { Context } from "../kernel/context.ts";
import { requireScope } from "../kernel/principal.ts";
import { line } from "../kernel/text.ts";
import { readLimits } from "../limits/read-limits.ts";
import { noSuchTeam, reachTeam } from "./reach-team.ts";
import { changeTeam } from "./team-epoch.ts";
import type { Team } from "./team.ts";

export const updateTeamInput = z.strictObject({
  name: line(200).optional(),
  ip_rules: ipRulesInput.optional().describe("Takes the place of the rules that were there"),
  allowed_origins: originList
    .optional()
    .describe(
      "Origins of web pages that may call the API for this team, such as https://app.example.com",
    ),
  max_body_bytes: z
    .number()
    .int()
    .min(1024)
    .max(JSON_BODY_LIMIT)
    .nullable()
    .optional()
    .describe("The largest JSON body; null is the gateway's own limit, 10 MB"),
  force: z
    .boolean()
    .default(false)
    .describe("Lets ip_rules shut out the address that this request comes from"),
});

/**
 * Changes a team; what the input leaves out stays. Rules hold everywhere within a second.
 * @throws AppError `not_found`, `missing_scope` without the scope `admin`, `conflict` when the rules would shut out who
 * sets them
 */
export async function updateTeam(
  context: Context,
  input: z.infer<typeof updateTeamInput> & { teamId: string },
): Promise<Team> {
  const { principal } = context;
  requireScope(principal, "admin");
  const teamId = reachTeam(principal, input.teamId);
  const { name, ip_rules: ipRules } = input;
  // A super admin is bound by no team's rules, and so cannot be shut out.
  if (ipRules && principal.kind !== "super_admin")
    refuseLockout(compileIpRules(ipRules.allow, ipRules.deny), context.source().ip, input.force);
  const row = await changeTeam(context, teamId, async (inner) => {
    const own = eq(teams.id, teamId);
    const [before] = await inner.db.select().from(teams).where(own).for("no key update");
    const [after] = await inner.db
      .update(teams)
      .set({
        name,
        ipAllow: ipRules?.allow,
        ipDeny: ipRules?.deny,
        allowedOrigins: input.allowed_origins,
        maxBodyBytes: input.max_body_bytes,
        updatedAt: context.now(),
      })
      .where(own)
      .returning();
    if (!before || !after) throw noSuchTeam();
    await audit(inner, { action: "team.update", teamId, targetId: teamId, before, after });
    return after;
  });
  context.log.info("team_changed", { team_id: teamId });
  const { epoch: _, ...team } = row;
  return { ...team, limits: await readLimits(context.db, { teamId, keyId: null }) };
}
