import { acceptInvitationRoutes } from "./accept-invitation.ts";
import { auditRoutes } from "./audit.ts";
import { adminModelRoutes } from "./admin-models.ts";
import { adminProviderRoutes } from "./admin-providers.ts";
import { anthropicRoutes } from "./anthropic.ts";
import { campaignUploadRoutes } from "./campaign-uploads.ts";
import { campaignQuestionRoutes } from "./campaign-questions.ts";
import { campaignRoutes } from "./campaigns.ts";
import { chatRoutes } from "./chat.ts";
import { creditRoutes } from "./credits.ts";
import { documentationRoutes } from "./documentation.ts";
import { gatewayStatsRoutes } from "./gateway-stats.ts";
import { guardRailRoutes } from "./guard-rails.ts";
import { healthRoutes } from "./health.ts";
import { invitationRoutes } from "./invitations.ts";
import { jobActionRoutes } from "./job-actions.ts";
import { jobCallbackRoutes } from "./job-callbacks.ts";
import { jobResultRoutes } from "./job-results.ts";
import { jobScheduleRoutes } from "./job-schedules.ts";
import { jobRoutes } from "./jobs.ts";
import { joinPageRoutes } from "./join-page.ts";
import { keyRoutes } from "./keys.ts";
import { limitRoutes } from "./limits.ts";
import { mcpRoutes } from "./mcp.ts";
import { meRoutes } from "./me.ts";
import { memberRoutes } from "./members.ts";
import { openAiRoutes } from "./openai.ts";
import { responseCompactionRoutes } from "./response-compaction.ts";
import { responsesRoutes } from "./responses.ts";
import { providerHealthRoutes } from "./provider-health.ts";
import { scheduleRoutes } from "./schedules.ts";
import { sessionRoutes } from "./sessions.ts";
import { skillRoutes } from "./skills.ts";
import { switchRoutes } from "./switches.ts";
import { teamRoutes } from "./teams.ts";
import { telegramRoutes } from "./telegram.ts";
import { uploadRoutes } from "./uploads.ts";
import { usageRoutes } from "./usage.ts";
import { vinRoutes } from "./vin.ts";

/** Routes that need no key. */
export const publicRoutes = [healthRoutes, documentationRoutes, joinPageRoutes];

/** Routes behind authentication. */
export const routes = [
  openAiRoutes,
  responsesRoutes,
  responseCompactionRoutes,
  anthropicRoutes,
  chatRoutes,
  sessionRoutes,
  teamRoutes,
  memberRoutes,
  invitationRoutes,
  acceptInvitationRoutes,
  meRoutes,
  keyRoutes,
  limitRoutes,
  guardRailRoutes,
  creditRoutes,
  adminProviderRoutes,
  adminModelRoutes,
  providerHealthRoutes,
  usageRoutes,
  gatewayStatsRoutes,
  auditRoutes,
  scheduleRoutes,
  switchRoutes,
  telegramRoutes,
  vinRoutes,
  jobActionRoutes,
  jobCallbackRoutes,
  jobScheduleRoutes,
  jobRoutes,
  jobResultRoutes,
  skillRoutes,
  mcpRoutes,
  campaignUploadRoutes,
  campaignQuestionRoutes,
  campaignRoutes,
  uploadRoutes,
];
