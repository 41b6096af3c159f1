import { auditEntries } from "#schema";
import type { TransactionContext } from "../kernel/context.ts";
import { newId } from "../kernel/ids.ts";
import { type Actor, actorOf } from "./actor.ts";
import { changedFields, type Fields } from "./changed-fields.ts";

/** What is done to what: the kind of thing, then the verb, such as `key.rotate` or `team.limits.set`. */
export type AuditAction = `${string}.${string}`;

export interface AuditedChange {
  action: AuditAction;
  /** Whose thing it is; null for what belongs to the installation, such as a provider. */
  teamId: string | null;
  /** The id or name of the thing that the action's first part names. */
  targetId: string;
  /** The thing before and after, as rows or as plain fields: what differs is kept, secrets are not. */
  before?: Fields;
  after?: Fields;
  /** Who did it, where that is not the principal: a chat for which the bot acts. */
  actor?: Actor;
}

type AuditContext = Pick<
  TransactionContext,
  "principal" | "requestId" | "source" | "now" | "db" | "inTransaction"
>;

/** How long an id may be that comes from elsewhere, and a client's name for itself, in characters. */
const ID_LIMIT = 300;
const USER_AGENT_LIMIT = 300;

/**
 * Writes who did what into the audit log, in the transaction of the change itself: both are there, or neither. Every
 * verb that changes something calls it once for each thing; test/audit holds them to it. A change of a thing that is
 * given both before and after, and in which no field differs, is none, and is not written.
 */
export async function audit(context: AuditContext, change: AuditedChange): Promise<void> {
  const { before = null, after = null, action } = change;
  const changed = changedFields(before, after);
  if (changed === null) return;
  const now = context.now();
  const source = context.source();
  const actor = change.actor ?? actorOf(context.principal);
  await context.db.insert(auditEntries).values({
    id: newId("auditEntry", now.getTime()),
    at: now,
    teamId: change.teamId,
    actorKind: actor.kind,
    actorId: actor.id?.slice(0, ID_LIMIT) ?? null,
    actorUser: actor.user?.slice(0, ID_LIMIT) ?? null,
    action,
    targetType: action.slice(0, action.indexOf(".")),
    targetId: change.targetId.slice(0, ID_LIMIT),
    ip: source.ip,
    userAgent: source.userAgent?.slice(0, USER_AGENT_LIMIT) ?? null,
    requestId: context.requestId,
    traceId: source.traceId,
    ...changed,
  });
}
