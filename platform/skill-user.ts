import { z } from "zod";
import type { SkillUser } from "#core/skills/job/skill-user.ts";

/** The host is not looked at: a service binding has one end. */
const API_ORIGIN = "https://api.invalid";
/** Longer than any skill takes, in milliseconds. */
const TIMEOUT_MS = 5 * 60_000;
const output = z.record(z.string(), z.json());
const problem = z.object({ detail: z.string() });

/** Uses skills at the api Worker, by its route and its rules. */
export function createSkillUser(api: { fetch: typeof fetch }): SkillUser {
  return {
    async use(principal, { skill, input, key }) {
      if (principal.kind !== "job") throw new Error("Only jobs use skills this way.");
      const { teamId, jobId, createdBy, scopes, models, endUser } = principal;
      const actor = {
        team_id: teamId,
        job_id: jobId,
        created_by: createdBy,
        scopes,
        models,
        end_user: endUser,
      };
      const response = await api.fetch(`${API_ORIGIN}/v1/skills/${encodeURIComponent(skill)}`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "idempotency-key": key,
          "x-switchyard-actor": JSON.stringify(actor),
        },
        body: JSON.stringify(input),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const body: unknown = await response.json();
      if (response.ok) return { kind: "answer", output: output.parse(body) };
      const { status } = response;
      const final = status < 500 && status !== 408 && status !== 409 && status !== 429;
      return { kind: "refused", final, message: problem.parse(body).detail };
    },
  };
}
