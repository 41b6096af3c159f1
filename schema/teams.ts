import { bigint, index, pgTable, text, uniqueIndex } from "drizzle-orm/pg-core";
import { createdAt, moment } from "./columns.ts";

/** Whoever pays: everything else belongs to one team. */
export const teams = pgTable("teams", {
  id: text("id").primaryKey(),
  name: text("name").notNull(),
  /** Grows with each change that cached key records must not survive. The team's Meter mirrors it. */
  epoch: bigint("epoch", { mode: "number" }).notNull().default(1),
  createdAt: createdAt(),
  updatedAt: moment("updated_at").notNull().defaultNow(),
});

/** People of a team. */
export const members = pgTable(
  "members",
  {
    id: text("id").primaryKey(),
    teamId: text("team_id")
      .notNull()
      .references(() => teams.id, { onDelete: "cascade" }),
    name: text("name").notNull(),
    /** Stored in lower case. */
    email: text("email").notNull(),
    role: text("role", { enum: ["owner", "admin", "member", "viewer"] }).notNull(),
    createdAt: createdAt(),
    updatedAt: moment("updated_at").notNull().defaultNow(),
  },
  (table) => [
    uniqueIndex("members_team_email_unique").on(table.teamId, table.email),
    index("members_team_index").on(table.teamId, table.id),
  ],
);
