import { AppError } from "../kernel/errors.ts";
import { type Principal, requireScope, requireTeam, seesSessionsOf } from "../kernel/principal.ts";
import { parseResponseId } from "./response-id.ts";
import type { OpenResponseChain, ResponseChainStore } from "./response-store.ts";

/** What the verbs on kept responses reach. */
export interface ResponsePorts {
  openChain: OpenResponseChain;
}

/** A kept response as its caller may ask for it. */
export interface ReachedResponse {
  id: string;
  chain: ResponseChainStore;
  /** The end user whose responses are all that the caller sees; null for who sees the team's. */
  endUser: string | null;
}

/** The one answer for a response that is not there and for one that is none of the caller's business. */
export function noSuchResponse(id: string): AppError {
  return new AppError("not_found", {
    message: `Response with id ${JSON.stringify(id.slice(0, 100))} not found. It may have been deleted or be over its time, or was made with "store": false.`,
  });
}

/**
 * The object that would keep a response of the principal's team. Objects are named by the team, so that no id leads
 * into another one's.
 * @throws AppError `missing_scope`, `invalid_request` (a super admin who names no team), `not_found`
 */
export function reachResponse(
  principal: Principal,
  { openChain }: ResponsePorts,
  id: string,
): ReachedResponse {
  requireScope(principal, "chat");
  const teamId = requireTeam(principal);
  const name = parseResponseId(id);
  if (!name) throw noSuchResponse(id);
  return { id, chain: openChain(teamId, name.chain), endUser: seesSessionsOf(principal) };
}
