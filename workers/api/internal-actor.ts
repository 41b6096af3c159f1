import { z } from "zod";
import { AppError } from "#core/kernel/errors.ts";
import type { Principal } from "#core/kernel/principal.ts";
import { SCOPES } from "#core/kernel/scopes.ts";

const chat = z.object({
  team_id: z.string(),
  end_user: z.string(),
  chat_id: z.string(),
  scopes: z.array(z.enum(SCOPES)),
});
const job = z.object({
  team_id: z.string(),
  job_id: z.string(),
  created_by: z.string(),
  scopes: z.array(z.enum(SCOPES)),
  models: z.array(z.string()),
  end_user: z.string().nullable(),
});
const actor = z.union([chat, job]);

/** Requests that came in by a service binding. A request from outside can never be among them. */
const internalRequests = new WeakSet<Request>();

/** Marks a request as one that came in by a service binding. */
export function markInternal(request: Request): void {
  internalRequests.add(request);
}

/** Marks the request that stands in for another, where that one was marked. */
export function inheritInternal(from: Request, to: Request): void {
  if (internalRequests.has(from)) internalRequests.add(to);
}

/**
 * For whom a Worker of ours acts; null for requests from outside, whatever their headers say.
 * @throws AppError `invalid_request` when the Worker did not say it
 */
export function internalActorOf(request: Request): Principal | null {
  if (!internalRequests.has(request)) return null;
  const parsed = actor.safeParse(parseJson(request.headers.get("x-switchyard-actor") ?? ""));
  if (!parsed.success)
    throw new AppError("invalid_request", {
      message: "x-switchyard-actor is missing or malformed.",
    });
  const { data } = parsed;
  if ("chat_id" in data)
    return {
      kind: "telegram",
      teamId: data.team_id,
      chatId: data.chat_id,
      endUser: data.end_user,
      scopes: data.scopes,
    };
  const { team_id: teamId, job_id: jobId, created_by: createdBy, end_user: endUser } = data;
  const { scopes, models } = data;
  return { kind: "job", teamId, jobId, createdBy, scopes, models, endUser };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
