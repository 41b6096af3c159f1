import { SKILLS } from "#core/skills/skills.ts";
import type { Things } from "./things.ts";

/**
 * What a route does for a caller of another team, when the request names the first team's things:
 * - `hidden`: 404, word for word as for things that do not exist
 * - `forbidden`: 403, since it is for super admins
 * - `own`: it answers, with the caller's own things only
 * - `public`: it takes no key and tells the same to everybody
 */
export type Stranger = "hidden" | "forbidden" | "own" | "public";

/** How the walk takes a route. */
export interface Walk {
  stranger: Stranger;
  /** The status that the first team's own key gets for the same request (a super admin, where the route is for them). */
  status: number;
  /** The path's parameters. */
  params?(things: Things): Record<string, string>;
  query?(things: Things): Record<string, string>;
  body?(things: Things): unknown;
  /**
   * What the owner's answer must hold, so that its absence from a stranger's means something: one of the texts that
   * only this team has, or the id of a thing.
   */
  shows?: "marks" | keyof Things;
  /**
   * For routes that change something: what a success writes into the audit log, or why it writes nothing. `target` is
   * the thing's id among the things; left out, the answer's own id.
   */
  audit?: { action: string; target?: keyof Things } | { none: string };
  /** Whether the answer has no end by itself: it is left after its first event. */
  streams?: boolean;
  /** Whether the thing is gone or changed afterwards, so that it has to come last. */
  ends?: boolean;
}

/** Why a request for a model is in no audit log; such requests go on while all changes are switched off. */
export const MODEL_REQUEST = "a request for a model makes a usage record";
/** Jobs are what users ask for, as requests for models are; what they change, they audit themselves. */
export const MAKES_A_JOB = "a job is its own record";
/** Of what SDKs have and we do not; changes may be refused before it. */
export const ALWAYS_REFUSED = "it is always refused";
/** Of what is posted only because it is long; it goes on as well. */
export const ONLY_READS = "it changes nothing";

/** A skill has no things of a team in its path; what it finds is the caller's own. */
const ofSkills = (): Record<string, Walk> =>
  Object.fromEntries(
    SKILLS.map((skill) => [
      `POST /v1/skills/${skill.name}`,
      {
        audit: { none: "job" in skill ? MAKES_A_JOB : ONLY_READS },
        stranger: "own",
        status: "job" in skill ? 202 : 200,
        body: () => skill.example,
      },
    ]),
  );

/** Files are what users send, not what admins set; an upload keeps who sent it. */
const SENT = "an upload is a file that somebody sends";

const upload = (things: Things) => ({ id: things.uploadId });
const team = (things: Things) => ({ id: things.teamId });
const member = (things: Things) => ({ id: things.teamId, member_id: things.memberId });
const key = (things: Things) => ({ id: things.keyId });
const campaign = (things: Things) => ({ id: things.campaignId });
const session = (things: Things) => ({ id: things.sessionId });
const response = (things: Things) => ({ id: things.responseId });
const job = (things: Things) => ({ id: things.jobId });
const jobSchedule = (things: Things) => ({ id: things.jobScheduleId });
const result = (things: Things) => ({ id: things.jobId, name: things.resultName });
const provider = (things: Things) => ({ name: things.provider });
const model = (things: Things) => ({ name: things.model });
const skill = (things: Things) => ({ name: things.skill });
const schedule = (things: Things) => ({ name: things.schedule });

/**
 * Every route of the OpenAPI document. A route that is not listed here fails the test; so does one that is listed and
 * gone. A new route: say what a stranger gets, how the request is made from a team's things (add new kinds of things to
 * things.ts), and what the owner gets.
 */
export const WALKS: Record<string, Walk> = {
  "GET /health": { stranger: "public", status: 200 },
  "GET /ready": { stranger: "public", status: 200 },

  "POST /v1/chat/completions": {
    audit: { none: MODEL_REQUEST },
    stranger: "own",
    status: 200,
    body: () => ({ model: "builtin", messages: [{ role: "user", content: "Hello" }] }),
  },
  "POST /v1/responses": {
    audit: { none: MODEL_REQUEST },
    stranger: "own",
    status: 200,
    body: () => ({ model: "builtin", input: "Hello" }),
  },
  "POST /v1/responses/input_tokens": {
    audit: { none: MODEL_REQUEST },
    stranger: "own",
    status: 200,
    body: () => ({ model: "builtin", input: "Hello" }),
  },
  "POST /v1/responses/compact": {
    audit: { none: MODEL_REQUEST },
    stranger: "own",
    status: 200,
    body: () => ({ model: "builtin", input: "Hello" }),
  },
  "POST /v1/responses/{id}/cancel": {
    audit: { none: ALWAYS_REFUSED },
    stranger: "hidden",
    status: 400,
    params: response,
  },
  "GET /v1/responses/{id}": { stranger: "hidden", status: 200, shows: "marks", params: response },
  "GET /v1/responses/{id}/input_items": {
    stranger: "hidden",
    status: 200,
    shows: "marks",
    params: response,
  },
  "DELETE /v1/responses/{id}": {
    audit: { none: "responses are what users say, and live in an object of their own" },
    stranger: "hidden",
    status: 200,
    params: response,
    ends: true,
  },
  "POST /v1/messages": {
    audit: { none: MODEL_REQUEST },
    stranger: "own",
    status: 200,
    body: () => ({
      model: "builtin",
      max_tokens: 100,
      messages: [{ role: "user", content: "Hello" }],
    }),
  },
  "POST /v1/messages/count_tokens": {
    audit: { none: MODEL_REQUEST },
    stranger: "own",
    status: 200,
    body: () => ({ model: "builtin", messages: [{ role: "user", content: "Hello" }] }),
  },
  "POST /v1/embeddings": {
    audit: { none: MODEL_REQUEST },
    stranger: "own",
    status: 200,
    body: () => ({ model: "builtin", input: "Hello" }),
  },
  "GET /v1/vin/{vin}": {
    stranger: "own",
    status: 200,
    params: () => ({ vin: "1HGCM82633A004352" }),
  },
  "POST /v1/vin/batch": {
    audit: { none: ONLY_READS },
    stranger: "own",
    status: 200,
    body: () => ({ vins: ["1HGCM82633A004352"] }),
  },
  ...ofSkills(),
  "GET /v1/skills": { stranger: "own", status: 200 },
  "GET /v1/skills/{name}": { stranger: "own", status: 200, params: skill },
  "PUT /v1/skills/{name}": {
    audit: { action: "skill.set", target: "skill" },
    stranger: "own",
    status: 200,
    params: skill,
    body: () => ({ enabled: false }),
  },
  "POST /v1/uploads": {
    audit: { none: SENT },
    stranger: "own",
    status: 201,
    body: () => ({ name: "walk.csv", size: 10 }),
  },
  "GET /v1/uploads/{id}": { stranger: "hidden", status: 200, shows: "marks", params: upload },
  "PUT /v1/uploads/{id}/parts/{n}": {
    audit: { none: SENT },
    stranger: "hidden",
    status: 200,
    params: (things) => ({ id: things.uploadId, n: "1" }),
    body: () => ({ walk: 1 }),
  },
  "POST /v1/uploads/{id}/complete": {
    audit: { none: SENT },
    stranger: "hidden",
    status: 200,
    params: upload,
    ends: true,
  },
  "DELETE /v1/uploads/{id}": {
    audit: { none: SENT },
    stranger: "hidden",
    status: 204,
    params: upload,
    ends: true,
  },
  "POST /v1/campaigns/uploads": {
    audit: { none: SENT },
    stranger: "hidden",
    status: 202,
    body: (things) => ({ upload_id: things.sentUploadId }),
  },
  "GET /v1/campaigns": { stranger: "own", status: 200, shows: "marks" },
  "GET /v1/campaigns/metrics": {
    stranger: "own",
    status: 200,
    shows: "marks",
    query: () => ({ group_by: "campaign" }),
  },
  "GET /v1/campaigns/benchmarks": { stranger: "own", status: 200 },
  "GET /v1/campaigns/suggested-questions": { stranger: "own", status: 200 },
  "POST /v1/campaigns/ask": {
    audit: { none: ONLY_READS },
    stranger: "own",
    status: 200,
    shows: "marks",
    body: () => ({ question: "top_spend" }),
  },
  "GET /v1/campaigns/changes": {
    stranger: "hidden",
    status: 200,
    query: (things) => ({ campaign_id: things.campaignId }),
  },
  "GET /v1/campaigns/anomalies": {
    stranger: "hidden",
    status: 200,
    query: (things) => ({ campaign_id: things.campaignId }),
  },
  "GET /v1/campaigns/{id}": { stranger: "hidden", status: 200, shows: "marks", params: campaign },
  "GET /v1/campaigns/{id}/metrics": {
    stranger: "hidden",
    status: 200,
    shows: "marks",
    params: campaign,
    query: () => ({ group_by: "campaign,ad_group" }),
  },
  "DELETE /v1/campaigns/{id}": {
    audit: { action: "campaign.delete", target: "campaignId" },
    stranger: "hidden",
    status: 204,
    params: campaign,
    ends: true,
  },
  "GET /gateway/stats": { stranger: "own", status: 200 },
  "GET /v1/models": { stranger: "own", status: 200 },
  "GET /v1/models/{id}": { stranger: "own", status: 200, params: () => ({ id: "builtin" }) },

  "POST /v1/chat": {
    audit: { none: MODEL_REQUEST },
    stranger: "hidden",
    status: 200,
    body: (things) => ({ message: "Go on", session_id: things.sessionId }),
  },
  "GET /v1/sessions": { stranger: "own", status: 200, shows: "sessionId" },
  "GET /v1/sessions/{id}": { stranger: "hidden", status: 200, shows: "marks", params: session },
  "PATCH /v1/sessions/{id}": {
    audit: { none: "sessions are what users say, and live in an object of their own" },
    stranger: "hidden",
    status: 200,
    params: session,
    body: () => ({ title: "taken", system: null }),
    ends: true,
  },
  "GET /v1/sessions/{id}/messages": {
    stranger: "hidden",
    status: 200,
    shows: "marks",
    params: session,
  },
  "POST /v1/sessions/{id}/reset": {
    audit: { none: "sessions are what users say, and live in an object of their own" },
    stranger: "hidden",
    status: 200,
    params: session,
    ends: true,
  },
  "DELETE /v1/sessions/{id}": {
    audit: { none: "sessions are what users say, and live in an object of their own" },
    stranger: "hidden",
    status: 204,
    params: session,
    ends: true,
  },

  "POST /v1/telegram/link-codes": {
    audit: { action: "team.telegram_code.create", target: "teamId" },
    stranger: "own",
    status: 201,
    body: () => ({}),
  },
  "GET /v1/telegram/links": { stranger: "own", status: 200, shows: "chatId" },
  "DELETE /v1/telegram/links/{chat_id}": {
    audit: { action: "telegram_link.delete", target: "chatId" },
    stranger: "hidden",
    status: 204,
    params: (things) => ({ chat_id: things.chatId }),
    ends: true,
  },

  "POST /v1/teams": {
    audit: { action: "team.create" },
    stranger: "forbidden",
    status: 201,
    body: () => ({ name: "New" }),
  },
  "GET /v1/teams": {
    stranger: "own",
    status: 200,
    shows: "marks",
    query: (things) => ({ team_id: things.teamId }),
  },
  "GET /v1/teams/{id}": { stranger: "hidden", status: 200, shows: "marks", params: team },
  "PATCH /v1/teams/{id}": {
    audit: { action: "team.update", target: "teamId" },
    stranger: "hidden",
    status: 200,
    params: team,
    body: () => ({ name: "Renamed" }),
    ends: true,
  },
  "DELETE /v1/teams/{id}": {
    audit: { action: "team.delete", target: "teamId" },
    stranger: "forbidden",
    status: 204,
    params: team,
    ends: true,
  },

  "POST /v1/teams/{id}/members": {
    audit: { action: "member.create" },
    stranger: "hidden",
    status: 201,
    params: team,
    body: () => ({ name: "Spy", email: "spy@example.com", role: "admin" }),
  },
  "GET /v1/teams/{id}/members": { stranger: "hidden", status: 200, shows: "marks", params: team },
  "GET /v1/teams/{id}/members/{member_id}": {
    stranger: "hidden",
    status: 200,
    shows: "marks",
    params: member,
  },
  "PATCH /v1/teams/{id}/members/{member_id}": {
    audit: { action: "member.update", target: "memberId" },
    stranger: "hidden",
    status: 200,
    params: member,
    body: () => ({ role: "viewer" }),
    ends: true,
  },
  "DELETE /v1/teams/{id}/members/{member_id}": {
    audit: { action: "member.delete", target: "memberId" },
    stranger: "hidden",
    status: 204,
    params: member,
    ends: true,
  },

  "POST /v1/teams/{id}/invitations": {
    audit: { action: "invitation.create" },
    stranger: "hidden",
    status: 201,
    params: team,
    body: () => ({ role: "admin" }),
  },
  "GET /v1/teams/{id}/invitations": {
    stranger: "hidden",
    status: 200,
    shows: "marks",
    params: team,
  },
  "DELETE /v1/teams/{id}/invitations/{invitation_id}": {
    audit: { action: "invitation.revoke", target: "invitationId" },
    stranger: "hidden",
    status: 204,
    params: (things) => ({ id: things.teamId, invitation_id: things.invitationId }),
    ends: true,
  },

  "POST /v1/invitations/accept": {
    audit: {
      none: "it takes a person's token, and refuses every key; see test/identity/invitations.test.ts",
    },
    stranger: "forbidden",
    status: 403,
    body: () => ({ token: `inv_${"0".repeat(32)}` }),
  },
  "GET /v1/me": { stranger: "own", status: 200, shows: "teamId" },

  "POST /v1/keys": {
    audit: { action: "key.create" },
    // Naming another team is refused alike whether that team exists or not.
    stranger: "forbidden",
    status: 201,
    body: (things) => ({ name: "spy", team_id: things.teamId }),
  },
  "GET /v1/keys": {
    stranger: "own",
    status: 200,
    shows: "marks",
    query: (things) => ({ team_id: things.teamId }),
  },
  "GET /v1/keys/verify": { stranger: "own", status: 200 },
  "GET /v1/keys/{id}": { stranger: "hidden", status: 200, shows: "marks", params: key },
  "PATCH /v1/keys/{id}": {
    audit: { action: "key.update", target: "keyId" },
    stranger: "hidden",
    status: 200,
    params: key,
    body: () => ({ name: "taken", enabled: false }),
    ends: true,
  },
  "POST /v1/keys/{id}/rotate": {
    audit: { action: "key.rotate", target: "keyId" },
    stranger: "hidden",
    status: 200,
    params: key,
    body: () => ({ grace_seconds: 0 }),
    ends: true,
  },
  "POST /v1/keys/{id}/revoke": {
    audit: { action: "key.revoke", target: "keyId" },
    stranger: "hidden",
    status: 204,
    params: key,
    ends: true,
  },
  "DELETE /v1/keys/{id}": {
    audit: { action: "key.delete", target: "keyId" },
    stranger: "hidden",
    status: 204,
    params: key,
    ends: true,
  },

  "GET /v1/limits": { stranger: "own", status: 200, shows: "marks" },
  "GET /v1/teams/{id}/limits": { stranger: "hidden", status: 200, params: team },
  "PUT /v1/teams/{id}/limits": {
    audit: { action: "team.limits.set", target: "teamId" },
    stranger: "forbidden",
    status: 200,
    params: team,
    body: () => ({ limits: [{ unit: "usd", window: "month", max: "25.00" }] }),
    ends: true,
  },
  "GET /v1/teams/{id}/credits": { stranger: "hidden", status: 200, params: team },
  "POST /v1/teams/{id}/credits": {
    audit: { action: "team.credits.grant", target: "teamId" },
    stranger: "forbidden",
    status: 201,
    params: team,
    body: () => ({ amount: "100.00", reason: "Invoice" }),
    ends: true,
  },
  "GET /v1/teams/{id}/guard-rails": { stranger: "hidden", status: 200, params: team },
  "PUT /v1/teams/{id}/guard-rails": {
    audit: { action: "team.guard_rails.set", target: "teamId" },
    stranger: "hidden",
    status: 200,
    params: team,
    body: () => ({ rules: [{ name: "walk", phrases: ["nobody says this"], action: "deny" }] }),
  },
  "GET /v1/keys/{id}/limits": { stranger: "hidden", status: 200, params: key },
  "PUT /v1/keys/{id}/limits": {
    audit: { action: "key.limits.set", target: "keyId" },
    stranger: "hidden",
    status: 200,
    params: key,
    body: () => ({ limits: [{ unit: "requests", window: "minute", max: 100 }] }),
    ends: true,
  },

  "GET /v1/providers/health": { stranger: "own", status: 200 },
  "GET /v1/usage": {
    stranger: "own",
    status: 200,
    shows: "marks",
    query: (things) => ({
      team_id: things.teamId,
      key_id: things.keyId,
      group_by: "day,key,model,end_user",
    }),
  },
  "GET /v1/usage/records": {
    stranger: "own",
    status: 200,
    shows: "marks",
    query: (things) => ({ team_id: things.teamId, key_id: things.keyId }),
  },

  "GET /v1/audit": {
    stranger: "own",
    status: 200,
    shows: "keyId",
    query: (things) => ({ team_id: things.teamId, target: things.keyId }),
  },

  "GET /v1/admin/providers": { stranger: "forbidden", status: 200 },
  "GET /v1/admin/providers/{name}": { stranger: "forbidden", status: 200, params: provider },
  "PUT /v1/admin/providers/{name}": {
    audit: { action: "provider.update", target: "provider" },
    stranger: "forbidden",
    status: 200,
    params: provider,
    body: () => ({ base_url: "http://127.0.0.1:10/v1" }),
    ends: true,
  },
  "DELETE /v1/admin/providers/{name}": {
    audit: {
      none: "it is refused here; a provider that no model uses is deleted in admin-catalog.test.ts",
    },
    // Its model is still there, so even a super admin is refused.
    stranger: "forbidden",
    status: 409,
    params: provider,
  },
  "GET /v1/admin/models": { stranger: "forbidden", status: 200 },
  "GET /v1/admin/models/{name}": { stranger: "forbidden", status: 200, params: model },
  "PUT /v1/admin/models/{name}": {
    audit: { action: "model.update", target: "model" },
    stranger: "forbidden",
    status: 200,
    params: model,
    body: (things) => ({ targets: [{ provider: things.provider, model: "other" }] }),
    ends: true,
  },
  "DELETE /v1/admin/models/{name}": {
    audit: { action: "model.delete", target: "model" },
    stranger: "forbidden",
    status: 204,
    params: model,
    ends: true,
  },

  "GET /v1/admin/switches": { stranger: "forbidden", status: 200 },
  "PUT /v1/admin/switches": {
    stranger: "forbidden",
    status: 200,
    audit: { action: "team.suspend", target: "teamId" },
    body: (things) => ({ teams: { [things.teamId]: "off" } }),
    ends: true,
  },

  "POST /v1/jobs": {
    audit: { none: MAKES_A_JOB },
    stranger: "own",
    status: 202,
    body: () => ({ type: "self_test", input: { count: 1 } }),
  },
  "GET /v1/jobs": { stranger: "own", status: 200, shows: "jobId" },
  "GET /v1/jobs/types": { stranger: "own", status: 200 },
  "GET /v1/jobs/events": { stranger: "own", status: 200, shows: "jobId", streams: true },
  "GET /v1/jobs/{id}": { stranger: "hidden", status: 200, shows: "marks", params: job },
  "GET /v1/jobs/{id}/events": {
    stranger: "hidden",
    status: 200,
    shows: "marks",
    params: job,
    streams: true,
  },
  "GET /v1/jobs/{id}/results/{name}": {
    stranger: "hidden",
    status: 200,
    shows: "marks",
    params: result,
  },
  "POST /v1/jobs/cancel": {
    audit: { none: "each job that it cancels is written as by POST …/cancel" },
    stranger: "own",
    status: 200,
    body: () => ({ q: "nothing holds this" }),
  },
  "POST /v1/jobs/retry": {
    audit: { none: "each job that it retries is written as by POST …/retry" },
    stranger: "own",
    status: 200,
    body: () => ({ q: "nothing holds this" }),
  },
  "POST /v1/jobs/{id}/cancel": {
    audit: { action: "job.cancel", target: "jobId" },
    stranger: "hidden",
    status: 200,
    params: job,
    ends: true,
  },
  "POST /v1/jobs/{id}/retry": {
    audit: { none: "it is refused here, as the job has not ended; test/jobs retries one" },
    stranger: "hidden",
    status: 409,
    params: job,
    body: () => ({}),
  },
  "POST /v1/jobs/{id}/events": {
    audit: { action: "job.event", target: "jobId" },
    stranger: "hidden",
    status: 202,
    params: job,
    body: () => ({ name: "approval", payload: null }),
    ends: true,
  },
  "GET /v1/jobs/{id}/callbacks": {
    stranger: "hidden",
    status: 200,
    shows: "marks",
    params: job,
  },
  "POST /v1/jobs/{id}/callbacks/{callback_id}/resend": {
    audit: { action: "job_callback.resend", target: "callbackId" },
    stranger: "hidden",
    status: 202,
    params: (things) => ({ id: things.jobId, callback_id: things.callbackId }),
    ends: true,
  },
  "GET /v1/jobs/callback-secret": { stranger: "own", status: 200 },
  "POST /v1/jobs/callback-secret/rotate": {
    audit: { action: "callback_secret.rotate" },
    stranger: "own",
    status: 200,
    body: () => ({ grace_seconds: 0 }),
  },
  "POST /v1/jobs/schedules": {
    audit: { action: "job_schedule.create" },
    stranger: "own",
    status: 201,
    body: () => ({ name: "New", cron: "0 0 1 1 *", type: "self_test", input: {} }),
  },
  "GET /v1/jobs/schedules": { stranger: "own", status: 200, shows: "jobScheduleId" },
  "GET /v1/jobs/schedules/{id}": {
    stranger: "hidden",
    status: 200,
    shows: "marks",
    params: jobSchedule,
  },
  "PATCH /v1/jobs/schedules/{id}": {
    audit: { action: "job_schedule.update", target: "jobScheduleId" },
    stranger: "hidden",
    status: 200,
    params: jobSchedule,
    body: () => ({ paused: true }),
    ends: true,
  },
  "POST /v1/jobs/schedules/{id}/run": {
    audit: { action: "job_schedule.run", target: "jobScheduleId" },
    stranger: "hidden",
    status: 202,
    params: jobSchedule,
    ends: true,
  },
  "GET /v1/jobs/schedules/{id}/runs": { stranger: "hidden", status: 200, params: jobSchedule },
  "DELETE /v1/jobs/schedules/{id}": {
    audit: { action: "job_schedule.delete", target: "jobScheduleId" },
    stranger: "hidden",
    status: 204,
    params: jobSchedule,
    ends: true,
  },
  "POST /v1/jobs/{id}/results/{name}/link": {
    audit: { none: "a link is nothing that is kept; whoever may make one may read the file" },
    stranger: "hidden",
    status: 200,
    params: result,
    body: () => ({ expires_in: 60 }),
  },

  "GET /v1/admin/schedules": { stranger: "forbidden", status: 200 },
  "POST /v1/admin/schedules/{name}/run": {
    audit: { action: "schedule.run", target: "schedule" },
    stranger: "forbidden",
    status: 200,
    params: schedule,
    ends: true,
  },
  "GET /v1/admin/schedules/{name}/runs": { stranger: "forbidden", status: 200, params: schedule },
  "GET /v1/admin/schedules/{name}/runs/{id}": {
    stranger: "forbidden",
    status: 200,
    params: (things) => ({ name: things.schedule, id: things.runId }),
  },
};
