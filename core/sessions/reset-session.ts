import type { Context } from "../kernel/context.ts";
import { teamScope } from "../kernel/principal.ts";
import {
  found,
  notBusy,
  reachSession,
  type Session,
  type SessionPorts,
  toSession,
} from "./session-context.ts";

/**
 * Forgets what was said in a session. Its title, model and system prompt stay, and so do its sums of tokens.
 * @throws AppError `missing_scope`, `not_found`, `session_busy`
 */
export async function resetSession(
  context: Context,
  ports: SessionPorts,
  input: { sessionId: string },
): Promise<Session> {
  const store = reachSession(context, ports, input.sessionId);
  return toSession(ports, notBusy(found(await store.reset(teamScope(context.principal)))));
}
