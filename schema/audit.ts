import { boolean, index, jsonb, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { moment } from "./columns.ts";

/**
 * Who changed what. A row is written in the transaction of the change that it tells of, and never changes: a trigger
 * refuses UPDATE, DELETE and TRUNCATE. Partitioned by month on `at` (its migration says so; drizzle cannot), so that
 * old months go as a whole. No foreign keys: what is told of may be gone.
 */
export const auditEntries = pgTable(
  "audit_entries",
  {
    id: text("id").notNull(),
    at: moment("at").notNull(),
    /** Whose thing was changed; null for what belongs to the installation. */
    teamId: text("team_id"),
    /** What kind of principal acted, such as `key`; see core/audit/actor.ts. */
    actorKind: text("actor_kind").notNull(),
    /** Which one: a key's id, a chat's, the first digits of the hash of a super admin's key. */
    actorId: text("actor_id"),
    /** The person, where the actor names one. */
    actorUser: text("actor_user"),
    /** What was done to what, such as `key.rotate`. */
    action: text("action").notNull(),
    /** The first part of the action. */
    targetType: text("target_type").notNull(),
    targetId: text("target_id").notNull(),
    ip: text("ip"),
    userAgent: text("user_agent"),
    requestId: text("request_id").notNull(),
    traceId: text("trace_id"),
    /** The fields that differ, as they were; null for what was made. Never a secret. */
    before: jsonb("before").$type<Record<string, unknown>>(),
    /** The fields that differ, as they are; null for what was deleted. */
    after: jsonb("after").$type<Record<string, unknown>>(),
    /** Whether values were cut because they were long. */
    truncated: boolean("truncated").notNull().default(false),
  },
  (table) => [
    primaryKey({ name: "audit_entries_pkey", columns: [table.at, table.id] }),
    index("audit_entries_team_index").on(table.teamId, table.at, table.id),
    index("audit_entries_actor_index").on(table.actorId, table.at, table.id),
    index("audit_entries_target_index").on(table.targetId, table.at, table.id),
  ],
);
