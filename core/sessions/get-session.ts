import type { Context } from "../kernel/context.ts";
import { teamScope } from "../kernel/principal.ts";
import {
  found,
  reachSession,
  type Session,
  type SessionPorts,
  toSession,
} from "./session-context.ts";

/**
 * A session without its history.
 * @throws AppError `missing_scope`, `not_found`
 */
export async function getSession(
  context: Context,
  ports: SessionPorts,
  input: { sessionId: string },
): Promise<Session> {
  const store = reachSession(context, ports, input.sessionId);
  return toSession(ports, found(await store.read(teamScope(context.principal))));
}
