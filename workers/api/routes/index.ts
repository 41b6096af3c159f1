import { adminModelRoutes } from "./admin-models.ts";
import { adminProviderRoutes } from "./admin-providers.ts";
import { documentationRoutes } from "./documentation.ts";
import { healthRoutes } from "./health.ts";
import { keyRoutes } from "./keys.ts";
import { memberRoutes } from "./members.ts";
import { openAiRoutes } from "./openai.ts";
import { scheduleRoutes } from "./schedules.ts";
import { teamRoutes } from "./teams.ts";
import { usageRoutes } from "./usage.ts";

/** Routes that need no key. */
export const publicRoutes = [healthRoutes, documentationRoutes];

/** Routes behind authentication. */
export const routes = [
  openAiRoutes,
  teamRoutes,
  memberRoutes,
  keyRoutes,
  adminProviderRoutes,
  adminModelRoutes,
  usageRoutes,
  scheduleRoutes,
];
