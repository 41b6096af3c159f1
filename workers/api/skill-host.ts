import type { AskPorts } from "#core/campaigns/ask-campaigns.ts";
import type { ModelCall } from "#core/gateway/model-call.ts";
import type { SkillPorts } from "#core/skills/skill.ts";
import type { SkillHost } from "#core/skills/skill-host.ts";
import { refuseWritesIfOff } from "#core/switches/switches.ts";
import { teamRules } from "./admit-request.ts";
import type { AppContext } from "./app-types.ts";
import { callOf, defaultModelOf, endUserOf, gatewayPorts } from "./model-gateway.ts";
import { vinPorts } from "./vin-ports.ts";
import { waitForJob } from "./wait-for-job.ts";

/** What skills reach the world by, for this request. */
function skillPorts(c: AppContext): SkillPorts {
  return {
    vin: vinPorts(c),
    campaigns: () => ({ ports: askPorts(c), call: askCall(c) }),
  };
}

/** What questions about campaigns reach, for this request. */
export function askPorts(c: AppContext): AskPorts {
  return { gateway: gatewayPorts(c), defaultModel: () => defaultModelOf(c) };
}

/** For whom a model answers them. */
export function askCall(c: AppContext): ModelCall {
  const asked = callOf(c, { endUser: null });
  return { ...asked, endUser: endUserOf(asked, null) };
}

/** What is known without a team. */
export function skillSwitches(c: AppContext): Pick<SkillHost, "skillsOff"> {
  return {
    skillsOff(teamId) {
      const known = c.get("deps").limits.fresh(teamId, Date.now());
      return known ? known.skillsOff : teamRules(c, teamId).then(({ skillsOff }) => skillsOff);
    },
  };
}

/**
 * What the doors of skills reach the world by, for this request.
 * @throws AppError `invalid_request` when a super admin names no team
 */
export function skillHost(c: AppContext): SkillHost {
  return {
    ...skillSwitches(c),
    ports: skillPorts(c),
    gateway: gatewayPorts(c),
    jobDesk: c.get("deps").jobDesk,
    awaitJob: (job, milliseconds) => waitForJob(c, job, milliseconds),
    refuseChanges: () => refuseWritesIfOff(c.get("signal")),
  };
}
