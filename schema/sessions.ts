import { index, integer, pgTable, text } from "drizzle-orm/pg-core";
import { createdAt, moment } from "./columns.ts";
import { teams } from "./teams.ts";

/**
 * An index of sessions to list them by. History, title and prompt live in the session's Durable Object and
 * nowhere else: no text here, and nothing made from text.
 */
export const sessions = pgTable(
  "sessions",
  {
    id: text("id").primaryKey(),
    teamId: text("team_id")
      .notNull()
      .references(() => teams.id, { onDelete: "cascade" }),
    keyId: text("key_id"),
    endUser: text("end_user"),
    model: text("model").notNull(),
    messages: integer("messages").notNull().default(0),
    inputTokens: integer("input_tokens").notNull().default(0),
    outputTokens: integer("output_tokens").notNull().default(0),
    createdAt: createdAt(),
    lastActiveAt: moment("last_active_at").notNull().defaultNow(),
  },
  (table) => [
    index("sessions_team_last_active_index").on(table.teamId, table.lastActiveAt, table.id),
    index("sessions_team_end_user_index").on(
      table.teamId,
      table.endUser,
      table.lastActiveAt,
      table.id,
    ),
    index("sessions_last_active_index").on(table.lastActiveAt, table.id),
  ],
);
