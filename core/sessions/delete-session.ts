import type { Context } from "../kernel/context.ts";
import { teamScope } from "../kernel/principal.ts";
import { reachSession, type SessionPorts } from "./session-context.ts";
import { noSuchSession } from "./session-id.ts";

/**
 * Erases a session and its history for good. A turn that runs in it ends without effect.
 * @throws AppError `missing_scope`, `not_found`
 */
export async function deleteSession(
  context: Context,
  ports: SessionPorts,
  input: { sessionId: string },
): Promise<void> {
  const store = reachSession(context, ports, input.sessionId);
  if (!(await store.erase(teamScope(context.principal)))) throw noSuchSession();
  context.log.info("session_deleted", { session_id: input.sessionId });
}
