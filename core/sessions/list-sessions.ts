import { and, desc, eq, inArray, lt, or } from "drizzle-orm";
import { sessions } from "#schema";
import type { Context } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import { decodeCursor, type Page, type PageRequest, toPage } from "../kernel/page.ts";
import { requireScope, seesSessionsOf, teamScope } from "../kernel/principal.ts";
import type { SessionInfo } from "./session.ts";
import { type Session, type SessionPorts, toSession } from "./session-context.ts";

/** How many objects are asked at once. */
const PARALLEL = 20;

type Row = typeof sessions.$inferSelect;

/**
 * The sessions of the principal's team by their last activity, the latest first; of a Telegram user or the end
 * user of an app, that user's own.
 * The list is Postgres's index; titles come from the sessions' objects, and those that are gone there are left out.
 * @throws AppError `missing_scope`, `invalid_request` for a cursor that is none of ours
 */
export async function listSessions(
  context: Context,
  ports: SessionPorts,
  input: PageRequest & { endUser?: string | undefined },
): Promise<Page<Session>> {
  requireScope(context.principal, "sessions");
  const own = teamScope(context.principal);
  const endUser = seesSessionsOf(context.principal) ?? input.endUser;
  const rows = await context.db
    .select()
    .from(sessions)
    .where(
      and(
        own === null ? undefined : eq(sessions.teamId, own),
        endUser === undefined ? undefined : eq(sessions.endUser, endUser),
        input.cursor === undefined ? undefined : beforeCursor(input.cursor),
      ),
    )
    .orderBy(desc(sessions.lastActiveAt), desc(sessions.id))
    .limit(input.limit + 1);
  const page = toPage(
    rows,
    input.limit,
    (row) => row,
    (row) => [row.lastActiveAt.getTime(), row.id],
  );
  return { ...page, items: await askObjects(context, ports, page.items) };
}

function beforeCursor(cursor: string) {
  const [at, id] = decodeCursor(cursor, 2);
  const moment = new Date(Number(at));
  if (typeof id !== "string" || Number.isNaN(moment.getTime()) || moment.getFullYear() > 9999) {
    throw new AppError("invalid_request", {
      message: "cursor is not one that a list gave. Start again without it.",
      param: "cursor",
    });
  }
  return or(
    lt(sessions.lastActiveAt, moment),
    and(eq(sessions.lastActiveAt, moment), lt(sessions.id, id)),
  );
}

async function askObjects(context: Context, ports: SessionPorts, rows: Row[]): Promise<Session[]> {
  const answers: (SessionInfo | null)[] = [];
  for (let start = 0; start < rows.length; start += PARALLEL) {
    const some = rows.slice(start, start + PARALLEL);
    answers.push(...(await Promise.all(some.map((row) => askObject(context, ports, row)))));
  }
  const gone = rows.filter((_, index) => answers[index] === null).map((row) => row.id);
  // An object is the truth about its session; a row without one was left behind, and goes.
  if (gone.length > 0) await context.db.delete(sessions).where(inArray(sessions.id, gone));
  const listed = answers.filter((answer) => answer !== null);
  return Promise.all(listed.map((info) => toSession(ports, info)));
}

/** An object that cannot be reached hides its title, and not the session. */
async function askObject(
  context: Context,
  ports: SessionPorts,
  row: Row,
): Promise<SessionInfo | null> {
  try {
    return await ports.openSession(row.id).read(row.teamId);
  } catch (error) {
    context.log.warn("session_unreachable", { session_id: row.id, error });
    return fromRow(row);
  }
}

function fromRow(row: Row): SessionInfo {
  const { createdAt, lastActiveAt, model, ...rest } = row;
  return {
    ...rest,
    title: null,
    system: null,
    model,
    lastModel: model,
    createdAt: createdAt.getTime(),
    lastActiveAt: lastActiveAt.getTime(),
  };
}
