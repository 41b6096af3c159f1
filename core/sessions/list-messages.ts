import type { Context } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import { decodeCursor, encodeCursor, type Page, type PageRequest } from "../kernel/page.ts";
import { teamScope } from "../kernel/principal.ts";
import type { SessionMessage } from "./session.ts";
import { found, reachSession, type SessionPorts } from "./session-context.ts";

/**
 * What was said in a session, the newest first. A page of very long messages is shorter than asked for.
 * @throws AppError `missing_scope`, `not_found`, `invalid_request` for a cursor that is none of ours
 */
export async function listMessages(
  context: Context,
  ports: SessionPorts,
  input: PageRequest & { sessionId: string },
): Promise<Page<SessionMessage>> {
  const { sessionId, limit, cursor } = input;
  const store = reachSession(context, ports, sessionId);
  const before = cursor === undefined ? null : positionOf(cursor);
  const { messages, more } = found(
    await store.messages(teamScope(context.principal), { limit, before }),
  );
  const last = messages.at(-1);
  return { items: messages, nextCursor: more && last ? encodeCursor([last.position]) : null };
}

function positionOf(cursor: string): number {
  const [position] = decodeCursor(cursor, 1);
  if (typeof position === "number" && Number.isSafeInteger(position)) return position;
  throw new AppError("invalid_request", {
    message: "cursor is not one that a list gave. Start again without it.",
    param: "cursor",
  });
}
