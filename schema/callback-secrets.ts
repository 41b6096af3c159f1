import { index, pgTable, text } from "drizzle-orm/pg-core";
import { createdAt, moment } from "./columns.ts";
import { teams } from "./teams.ts";

/** What a team's callbacks are signed with. Two at most: the one that holds, and the one before during its grace. */
export const callbackSecrets = pgTable(
  "callback_secrets",
  {
    id: text("id").primaryKey(),
    teamId: text("team_id")
      .notNull()
      .references(() => teams.id, { onDelete: "cascade" }),
    /** Encrypted under MASTER_KEY. */
    secretSealed: text("secret_sealed").notNull(),
    /** Null for the one that holds. */
    endsAt: moment("ends_at"),
    createdBy: text("created_by").notNull(),
    createdAt: createdAt(),
  },
  (table) => [index("callback_secrets_team_index").on(table.teamId, table.id)],
);
