import type { SqlDatabase } from "./sql-database.ts";

/** A message that the chat gets without having asked: a notice, or its copy of a broadcast. */
export interface OutboxRow {
  /** Names the message; the same one is sent once. */
  key: string;
  text: string;
  attempts: number;
  notBefore: number;
  /** What happens when a crash leaves unknown whether Telegram has it. */
  ifUnknown: IfUnknown;
}

/** A broadcast reaches nobody twice; a notice is rather repeated than lost. */
export type IfUnknown = "skip" | "repeat";

export type OutgoingNotice = Pick<OutboxRow, "key" | "text" | "ifUnknown">;

/** Keys are remembered for this long after sending. */
const REMEMBERED_MS = 7 * 24 * 3_600_000;
/** Messages that may wait in one chat. */
export const MOST_OUTGOING = 100;

/** A chat's outgoing notices, in order. */
export class Outbox {
  private readonly sql: SqlDatabase;
  private readonly now: () => number;

  constructor(sql: SqlDatabase, now: () => number) {
    this.sql = sql;
    this.now = now;
    sql.all(`CREATE TABLE IF NOT EXISTS outbox (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, text TEXT NOT NULL, created_at INTEGER NOT NULL,
      if_unknown TEXT NOT NULL, sending INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0, not_before INTEGER NOT NULL DEFAULT 0, done_at INTEGER)`);
  }

  /** Takes a message. @returns whether it will be sent: false for a key that it knows, or when too many wait */
  add(key: string, text: string, ifUnknown: IfUnknown = "repeat"): boolean {
    return this.sql.transaction(() => {
      const [waiting] = this.sql.all<{ count: number }>(
        "SELECT count(*) AS count FROM outbox WHERE done_at IS NULL",
      );
      if ((waiting?.count ?? 0) >= MOST_OUTGOING) return false;
      const added = this.sql.all(
        "INSERT INTO outbox (key, text, created_at, if_unknown) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING key",
        key,
        text,
        this.now(),
        ifUnknown,
      );
      return added.length > 0;
    });
  }

  /** Closes what a process that died may have sent. Called before anything is sent by this one. */
  recover(): void {
    this.sql.all(
      "UPDATE outbox SET done_at = ?, text = '' WHERE done_at IS NULL AND sending = 1 AND if_unknown = 'skip'",
      this.now(),
    );
  }

  next(): OutboxRow | null {
    const [row] = this.sql.all<{
      key: string;
      text: string;
      attempts: number;
      not_before: number;
      if_unknown: IfUnknown;
    }>(
      "SELECT key, text, attempts, not_before, if_unknown FROM outbox WHERE done_at IS NULL ORDER BY sequence LIMIT 1",
    );
    if (!row || row.not_before > this.now()) return null;
    return {
      key: row.key,
      text: row.text,
      attempts: row.attempts,
      notBefore: row.not_before,
      ifUnknown: row.if_unknown,
    };
  }

  /** Notes that a message is on its way. */
  begin(key: string): void {
    this.sql.all("UPDATE outbox SET sending = 1 WHERE key = ?", key);
  }

  wakeAt(): number | null {
    return (
      this.sql.all<{ at: number }>(
        "SELECT not_before AS at FROM outbox WHERE done_at IS NULL ORDER BY sequence LIMIT 1",
      )[0]?.at ?? null
    );
  }

  done(key: string): void {
    this.sql.all("UPDATE outbox SET done_at = ?, text = '' WHERE key = ?", this.now(), key);
  }

  postpone(key: string, until: number): void {
    this.sql.all(
      "UPDATE outbox SET sending = 0, attempts = attempts + 1, not_before = ? WHERE key = ?",
      until,
      key,
    );
  }

  /** Drops what waits: the chat cannot be written to. */
  drop(): void {
    this.sql.all("UPDATE outbox SET done_at = ?, text = '' WHERE done_at IS NULL", this.now());
  }

  /** What waits, in order. */
  all(): OutgoingNotice[] {
    return this.sql.all<OutgoingNotice>(
      "SELECT key, text, if_unknown AS ifUnknown FROM outbox WHERE done_at IS NULL ORDER BY sequence",
    );
  }

  forgetOld(): void {
    this.sql.all("DELETE FROM outbox WHERE done_at < ?", this.now() - REMEMBERED_MS);
  }
}
