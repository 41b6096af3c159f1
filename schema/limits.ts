import { bigint, boolean, index, pgTable, text, unique } from "drizzle-orm/pg-core";
import { createdAt, moment } from "./columns.ts";
import { apiKeys } from "./keys.ts";
import { teams } from "./teams.ts";

/** What a team or a key may use. How much of it is used is kept by the team's Meter, under the limit's id. */
export const limits = pgTable(
  "limits",
  {
    id: text("id").primaryKey(),
    teamId: text("team_id")
      .notNull()
      .references(() => teams.id, { onDelete: "cascade" }),
    /** The key that it is set on; null where it is the team's. */
    keyId: text("key_id").references(() => apiKeys.id, { onDelete: "cascade" }),
    /** The team's prepaid credits: `max` is the sum of what was granted. Changed by grants, not with the other limits. */
    prepaid: boolean("prepaid").notNull().default(false),
    unit: text("unit", { enum: ["requests", "tokens", "usd", "concurrency"] }).notNull(),
    /** Null for concurrency only. */
    window: text("window", {
      enum: ["second", "minute", "hour", "day", "week", "month", "total"],
    }),
    /** Requests, tokens, micro-dollars or running requests. */
    max: bigint("max", { mode: "number" }).notNull(),
    model: text("model"),
    /** `*` counts each end user for itself, a name only that one; null counts all together. */
    endUser: text("end_user"),
    soft: boolean("soft").notNull().default(false),
    onError: text("on_error", { enum: ["open", "closed"] }).notNull(),
    /** A temporary raise: this much instead of `max`, until then. */
    raiseMax: bigint("raise_max", { mode: "number" }),
    raiseUntil: moment("raise_until"),
    /** Prepaid credits only: this much, in micro-dollars, is added to `max` at the start of each period after `refillSince`. */
    refillAmount: bigint("refill_amount", { mode: "number" }),
    refillEvery: text("refill_every", { enum: ["day", "week", "month"] }),
    refillSince: moment("refill_since"),
    createdAt: createdAt(),
    updatedAt: moment("updated_at").notNull().defaultNow(),
  },
  (table) => [
    unique("limits_owner_subject_unique")
      .on(
        table.teamId,
        table.keyId,
        table.prepaid,
        table.unit,
        table.window,
        table.model,
        table.endUser,
        table.soft,
      )
      .nullsNotDistinct(),
    index("limits_key_index").on(table.keyId),
  ],
);

/** The ledger of prepaid credits: what was granted or refilled, when, by whom and why. Rows are only ever added. */
export const creditGrants = pgTable(
  "credit_grants",
  {
    id: text("id").primaryKey(),
    teamId: text("team_id")
      .notNull()
      .references(() => teams.id, { onDelete: "cascade" }),
    kind: text("kind", { enum: ["grant", "refill"] }).notNull(),
    /** Below zero takes credits back. */
    amountMicros: bigint("amount_micros", { mode: "number" }).notNull(),
    reason: text("reason").notNull(),
    /** `super_admin`, or `system` for a refill. */
    createdBy: text("created_by").notNull(),
    createdAt: createdAt(),
  },
  (table) => [index("credit_grants_team_index").on(table.teamId, table.id)],
);
