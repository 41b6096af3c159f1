import { bigint, index, pgTable, text } from "drizzle-orm/pg-core";
import { createdAt, moment } from "./columns.ts";
import { teams } from "./teams.ts";

/** Codes that link a Telegram chat to a team, each good for one use. */
export const telegramLinkCodes = pgTable(
  "telegram_link_codes",
  {
    /** SHA-256 of the code, hex. */
    codeHash: text("code_hash").primaryKey(),
    teamId: text("team_id")
      .notNull()
      .references(() => teams.id, { onDelete: "cascade" }),
    /** Who asked for it: `key:key_…` or `super_admin`. */
    createdBy: text("created_by").notNull(),
    expiresAt: moment("expires_at").notNull(),
    usedAt: moment("used_at"),
    usedByChat: bigint("used_by_chat", { mode: "number" }),
    createdAt: createdAt(),
  },
  (table) => [index("telegram_link_codes_expires_at_index").on(table.expiresAt)],
);

/** Which team a Telegram chat belongs to. What was said in it lives in the chat's Durable Object. */
export const telegramLinks = pgTable(
  "telegram_links",
  {
    chatId: bigint("chat_id", { mode: "number" }).primaryKey(),
    teamId: text("team_id")
      .notNull()
      .references(() => teams.id, { onDelete: "cascade" }),
    /** The Telegram user who linked it. */
    linkedBy: bigint("linked_by", { mode: "number" }),
    linkedAt: moment("linked_at").notNull().defaultNow(),
    /** Set when the bot was blocked or removed; nothing is sent to such a chat. */
    blockedAt: moment("blocked_at"),
  },
  (table) => [index("telegram_links_team_index").on(table.teamId, table.chatId)],
);
