import { bigint, index, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { createdAt, moment } from "./columns.ts";
import { members, teams } from "./teams.ts";

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

/**
 * Which teams a Telegram chat may use. It uses the one that was chosen last. What was said in it lives in the chat's
 * Durable Object.
 */
export const telegramLinks = pgTable(
  "telegram_links",
  {
    chatId: bigint("chat_id", { mode: "number" }).notNull(),
    teamId: text("team_id")
      .notNull()
      .references(() => teams.id, { onDelete: "cascade" }),
    /** The Telegram user who linked it. */
    linkedBy: bigint("linked_by", { mode: "number" }),
    /** The membership that the link came with, and ends with; null where a code made it. */
    memberId: text("member_id").references(() => members.id, { onDelete: "cascade" }),
    linkedAt: moment("linked_at").notNull().defaultNow(),
    /** When the chat chose this team, or was linked to it. */
    chosenAt: moment("chosen_at").notNull().defaultNow(),
    /** Set when the bot was blocked or removed; nothing is sent to such a chat. */
    blockedAt: moment("blocked_at"),
  },
  (table) => [
    primaryKey({ columns: [table.chatId, table.teamId] }),
    index("telegram_links_team_index").on(table.teamId, table.chatId),
    index("telegram_links_member_index").on(table.memberId),
  ],
);
