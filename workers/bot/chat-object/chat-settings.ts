import type { LinkOfChat } from "../turn.ts";
import type { BotIdentity } from "../telegram/addressing.ts";
import type { SqlDatabase } from "./sql-database.ts";

/** What a chat remembers, by name. Each value is written by itself, so that two writers never undo each other's work. */
export interface ChatValues {
  chatId: number;
  language: string;
  model: string;
  systemPrompt: string;
  /** The conversation of each topic; the key is the topic's id, 0 outside of topics. */
  [session: `session:${number}`]: string;
  chatLink: { link: LinkOfChat; checkedAt: number };
  bot: { identity: BotIdentity; checkedAt: number };
  /** Telegram wants nothing sent before this time. */
  pausedUntil: number;
  blocked: boolean;
  /** Where the chat has moved. */
  movedTo: number;
  /** When the sender was last told that too many messages wait. */
  toldFullAt: number;
  /** Since when the bot was off when the chat was last told so. */
  toldPausedSince: number;
}

/** Values that move along when a group becomes a supergroup. */
const MOVING = /^(language|model|systemPrompt|session:\d+)$/;

/** A small store of named values in the chat's object. */
export class ChatSettings {
  private readonly sql: SqlDatabase;

  constructor(sql: SqlDatabase) {
    this.sql = sql;
    sql.all(
      "CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    );
  }

  get<Name extends keyof ChatValues>(name: Name): ChatValues[Name] | null {
    const [row] = this.sql.all<{ value: string }>(
      "SELECT value FROM settings WHERE name = ?",
      name,
    );
    return row ? (JSON.parse(row.value) as ChatValues[Name]) : null; // written by set
  }

  set<Name extends keyof ChatValues>(name: Name, value: ChatValues[Name] | null): void {
    if (value === null) this.sql.all("DELETE FROM settings WHERE name = ?", name);
    else
      this.sql.all(
        "INSERT INTO settings VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        name,
        JSON.stringify(value),
      );
  }

  /** What a moved chat takes along. */
  moving(): [name: string, json: string][] {
    return this.sql
      .all<{ name: string; value: string }>("SELECT name, value FROM settings")
      .filter((row) => MOVING.test(row.name))
      .map((row) => [row.name, row.value]);
  }

  /** Takes what a moved chat brings; what is set here already stays. */
  adopt(values: [name: string, json: string][]): void {
    for (const [name, json] of values) {
      if (MOVING.test(name))
        this.sql.all("INSERT INTO settings VALUES (?, ?) ON CONFLICT DO NOTHING", name, json);
    }
  }
}
