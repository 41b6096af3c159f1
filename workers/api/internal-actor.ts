import { z } from "zod";
import { AppError } from "#core/kernel/errors.ts";
import type { Principal } from "#core/kernel/principal.ts";

const actor = z.object({ team_id: z.string(), end_user: z.string(), chat_id: z.string() });

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
  const { team_id, end_user, chat_id } = parsed.data;
  return { kind: "telegram", teamId: team_id, chatId: chat_id, endUser: end_user };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
