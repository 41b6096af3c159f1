import type { Language } from "../locales/index.ts";
import type { SqlDatabase } from "./sql-database.ts";

export interface Broadcast {
  /** Names the broadcast; started twice, it runs once. */
  id: string;
  text: string;
  /** The chat that is told when it is done. */
  reportTo: number;
  language: Language;
}

export interface BroadcastProgress extends Broadcast {
  /** The last chat that was handed its copy. */
  cursor: number | null;
  handed: number;
  failed: number;
}

/** How a broadcast reaches the chats. */
export interface BroadcastPort {
  /** Chats by rising id, after the given one. */
  page(after: number | null, limit: number): Promise<number[]>;
  /** Puts a copy into the chat's outbox; the same key again changes nothing. */
  hand(chatId: number, key: string, text: string): Promise<void>;
  report(broadcast: BroadcastProgress): Promise<void>;
}

/** Telegram takes about 30 messages a second from a bot; this leaves room for answers. */
export const CHATS_A_STEP = 20;
export const STEP_MS = 1_000;

/**
 * Broadcasts, one after the other. A step hands a page of chats their copies and stores how far it came; a step that is
 * repeated after a crash hands the same keys again, which changes nothing.
 */
export class Broadcasts {
  private readonly sql: SqlDatabase;

  constructor(sql: SqlDatabase) {
    this.sql = sql;
    sql.all(`CREATE TABLE IF NOT EXISTS broadcasts (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, text TEXT NOT NULL, report_to INTEGER NOT NULL,
      language TEXT NOT NULL, cursor INTEGER, handed INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0)`);
  }

  start(broadcast: Broadcast): void {
    this.sql.all(
      "INSERT INTO broadcasts (id, text, report_to, language) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
      broadcast.id,
      broadcast.text,
      broadcast.reportTo,
      broadcast.language,
    );
  }

  get pending(): boolean {
    return this.current() !== null;
  }

  /** Does the next part of the oldest broadcast. */
  async step(port: BroadcastPort): Promise<void> {
    const broadcast = this.current();
    if (!broadcast) return;
    const chats = await port.page(broadcast.cursor, CHATS_A_STEP);
    if (chats.length === 0) {
      await port.report(broadcast);
      this.sql.all("UPDATE broadcasts SET done = 1, text = '' WHERE id = ?", broadcast.id);
      return;
    }
    const outcomes = await Promise.allSettled(
      chats.map((chatId) => port.hand(chatId, broadcast.id, broadcast.text)),
    );
    const failed = outcomes.filter((outcome) => outcome.status === "rejected").length;
    this.sql.all(
      "UPDATE broadcasts SET cursor = ?, handed = handed + ?, failed = failed + ? WHERE id = ?",
      chats.at(-1) ?? null,
      chats.length - failed,
      failed,
      broadcast.id,
    );
  }

  private current(): BroadcastProgress | null {
    const [row] = this.sql.all<BroadcastProgress & { report_to: number }>(
      "SELECT * FROM broadcasts WHERE done = 0 ORDER BY sequence LIMIT 1",
    );
    if (!row) return null;
    const { id, text, language, cursor, handed, failed } = row;
    return { id, text, language, cursor, handed, failed, reportTo: row.report_to };
  }
}
