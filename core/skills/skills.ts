import { askCampaignsSkill } from "./campaigns/ask.ts";
import { explainCampaignsSkill } from "./campaigns/explain.ts";
import { campaignMetricsSkill } from "./campaigns/metrics.ts";
import { reportCampaignsSkill } from "./campaigns/report.ts";
import type { Skill } from "./skill.ts";
import { decodeVinSkill } from "./vin/decode-vin.ts";

/** Every skill that there is. */
export const SKILLS: readonly Skill[] = [
  decodeVinSkill,
  campaignMetricsSkill,
  explainCampaignsSkill,
  askCampaignsSkill,
  reportCampaignsSkill,
];
