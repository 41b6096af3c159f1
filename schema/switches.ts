import { sql } from "drizzle-orm";
import { bigint, boolean, check, pgTable, text } from "drizzle-orm/pg-core";
import { moment } from "./columns.ts";

/** One row: what is switched off, and two numbers by which isolates notice that something changed. */
export const switchboard = pgTable(
  "switchboard",
  {
    only: boolean("only").primaryKey().default(true),
    /** Grows with every change of this row. */
    version: bigint("version", { mode: "number" }).notNull().default(1),
    /** Grows with every change of providers or models. */
    catalogVersion: bigint("catalog_version", { mode: "number" }).notNull().default(1),
    /** Since when the bot is switched off; null: it is on. */
    botOffAt: moment("bot_off_at"),
    /** Whether changes are refused; requests for models go on. */
    writesOff: boolean("writes_off").notNull().default(false),
    providersOff: text("providers_off")
      .array()
      .notNull()
      .default(sql`'{}'::text[]`),
    teamsOff: text("teams_off")
      .array()
      .notNull()
      .default(sql`'{}'::text[]`),
    updatedAt: moment("updated_at").notNull().defaultNow(),
  },
  (table) => [check("switchboard_one_row", sql`${table.only}`)],
);
