import { SKILLS } from "#core/skills/skills.ts";
import type { Permission } from "#core/kernel/permissions.ts";

/**
 * What a caller needs for a route:
 * - a scope, or `owner`; several where all of them are needed
 * - `anybody`: a team is enough
 * - `bearer`: a key, or a token, also of somebody who is in no team
 * - `person`: a token of somebody who can be a member, also of somebody who is in no team
 * - `key`: an API key
 * - `super_admin`
 * - `public`: nothing
 */
export type Need =
  | Permission
  | readonly Permission[]
  | "anybody"
  | "bearer"
  | "person"
  | "key"
  | "super_admin"
  | "public";

/** Every route of the OpenAPI document. A route that is not listed here fails the test; so does one that is gone. */
export const NEEDS: Record<string, Need> = {
  "GET /health": "public",
  "GET /ready": "public",

  "POST /v1/chat/completions": "chat",
  "POST /v1/responses": "chat",
  "POST /v1/responses/input_tokens": "chat",
  "POST /v1/responses/compact": "chat",
  "POST /v1/responses/{id}/cancel": "chat",
  "GET /v1/responses/{id}": "chat",
  "DELETE /v1/responses/{id}": "chat",
  "GET /v1/responses/{id}/input_items": "chat",
  "POST /v1/messages": "chat",
  "POST /v1/messages/count_tokens": "chat",
  "POST /v1/embeddings": "chat",
  "POST /v1/chat": "chat",
  "GET /v1/models": "chat",
  "GET /v1/models/{id}": "chat",

  "GET /v1/sessions": "sessions",
  "GET /v1/sessions/{id}": "sessions",
  "PATCH /v1/sessions/{id}": "sessions",
  "GET /v1/sessions/{id}/messages": "sessions",
  "POST /v1/sessions/{id}/reset": "sessions",
  "DELETE /v1/sessions/{id}": "sessions",

  "POST /v1/telegram/link-codes": "admin",
  "GET /v1/telegram/links": "admin",
  "DELETE /v1/telegram/links/{chat_id}": "admin",

  "POST /v1/teams": "super_admin",
  "GET /v1/teams": "anybody",
  "GET /v1/teams/{id}": "anybody",
  "PATCH /v1/teams/{id}": "admin",
  "DELETE /v1/teams/{id}": "owner",

  "POST /v1/teams/{id}/members": "admin",
  "GET /v1/teams/{id}/members": "admin",
  "GET /v1/teams/{id}/members/{member_id}": "admin",
  "PATCH /v1/teams/{id}/members/{member_id}": "admin",
  "DELETE /v1/teams/{id}/members/{member_id}": "admin",

  "POST /v1/teams/{id}/invitations": "admin",
  "GET /v1/teams/{id}/invitations": "admin",
  "DELETE /v1/teams/{id}/invitations/{invitation_id}": "admin",
  "POST /v1/invitations/accept": "person",
  "GET /v1/me": "bearer",

  "POST /v1/keys": "admin",
  "GET /v1/keys": "admin",
  "GET /v1/keys/verify": "key",
  "GET /v1/keys/{id}": "admin",
  "PATCH /v1/keys/{id}": "admin",
  "POST /v1/keys/{id}/rotate": "admin",
  "POST /v1/keys/{id}/revoke": "admin",
  "DELETE /v1/keys/{id}": "admin",

  "GET /v1/teams/{id}/guard-rails": "admin",
  "PUT /v1/teams/{id}/guard-rails": "admin",

  "GET /v1/limits": "anybody",
  "GET /v1/teams/{id}/limits": "admin",
  "PUT /v1/teams/{id}/limits": "super_admin",
  "GET /v1/teams/{id}/credits": "admin",
  "POST /v1/teams/{id}/credits": "super_admin",
  "GET /v1/keys/{id}/limits": "admin",
  "PUT /v1/keys/{id}/limits": "admin",

  "GET /v1/providers/health": "usage:read",
  "GET /v1/usage": "usage:read",
  "GET /v1/usage/records": "usage:read",
  "GET /gateway/stats": "usage:read",
  "GET /v1/vin/{vin}": "skills",
  "POST /v1/vin/batch": "skills",
  "GET /v1/skills": "skills",
  "GET /v1/skills/{name}": "skills",
  "PUT /v1/skills/{name}": "admin",
  ...Object.fromEntries(
    SKILLS.map((skill): [string, Need] => [
      `POST /v1/skills/${skill.name}`,
      "job" in skill ? ["skills", "jobs"] : "skills",
    ]),
  ),

  "POST /v1/uploads": "jobs",
  "GET /v1/uploads/{id}": "jobs",
  "PUT /v1/uploads/{id}/parts/{n}": "jobs",
  "POST /v1/uploads/{id}/complete": "jobs",
  "DELETE /v1/uploads/{id}": "jobs",
  "POST /v1/campaigns/uploads": "jobs",
  "GET /v1/campaigns": "skills",
  "GET /v1/campaigns/metrics": "skills",
  "GET /v1/campaigns/benchmarks": "skills",
  "GET /v1/campaigns/suggested-questions": "skills",
  "POST /v1/campaigns/ask": "skills",
  "GET /v1/campaigns/changes": "skills",
  "GET /v1/campaigns/anomalies": "skills",
  "GET /v1/campaigns/{id}": "skills",
  "DELETE /v1/campaigns/{id}": "admin",
  "GET /v1/campaigns/{id}/metrics": "skills",
  "GET /v1/audit": "admin",

  "POST /v1/jobs": "jobs",
  "GET /v1/jobs": "jobs",
  "GET /v1/jobs/types": "jobs",
  "GET /v1/jobs/events": "jobs",
  "GET /v1/jobs/{id}": "jobs",
  "GET /v1/jobs/{id}/events": "jobs",
  "GET /v1/jobs/{id}/results/{name}": "jobs",
  "POST /v1/jobs/{id}/results/{name}/link": "jobs",
  "POST /v1/jobs/cancel": "jobs",
  "POST /v1/jobs/retry": "jobs",
  "POST /v1/jobs/{id}/cancel": "jobs",
  "POST /v1/jobs/{id}/retry": "jobs",
  "POST /v1/jobs/{id}/events": "jobs",
  "GET /v1/jobs/{id}/callbacks": "jobs",
  "POST /v1/jobs/{id}/callbacks/{callback_id}/resend": "jobs",
  "GET /v1/jobs/callback-secret": "admin",
  "POST /v1/jobs/callback-secret/rotate": "admin",
  "POST /v1/jobs/schedules": "jobs",
  "GET /v1/jobs/schedules": "jobs",
  "GET /v1/jobs/schedules/{id}": "jobs",
  "PATCH /v1/jobs/schedules/{id}": "jobs",
  "DELETE /v1/jobs/schedules/{id}": "jobs",
  "POST /v1/jobs/schedules/{id}/run": "jobs",
  "GET /v1/jobs/schedules/{id}/runs": "jobs",

  "GET /v1/admin/providers": "super_admin",
  "GET /v1/admin/providers/{name}": "super_admin",
  "PUT /v1/admin/providers/{name}": "super_admin",
  "DELETE /v1/admin/providers/{name}": "super_admin",
  "GET /v1/admin/models": "super_admin",
  "GET /v1/admin/models/{name}": "super_admin",
  "PUT /v1/admin/models/{name}": "super_admin",
  "DELETE /v1/admin/models/{name}": "super_admin",
  "GET /v1/admin/switches": "super_admin",
  "PUT /v1/admin/switches": "super_admin",
  "GET /v1/admin/schedules": "super_admin",
  "POST /v1/admin/schedules/{name}/run": "super_admin",
  "GET /v1/admin/schedules/{name}/runs": "super_admin",
  "GET /v1/admin/schedules/{name}/runs/{id}": "super_admin",
};
