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
  /** Sent as a document, with the text as its caption. */
  file: OutgoingFile | null;
}

/** A file in the file store. */
export interface OutgoingFile {
  fileKey: string;
  name: string;
}

/** A broadcast reaches nobody twice; a notice is rather repeated than lost. */
export type IfUnknown = "skip" | "repeat";

export type OutgoingNotice = Pick<OutboxRow, "key" | "text" | "ifUnknown" | "file">;

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
    // A table of its own, since objects that are older than it have the other one already.
    sql.all(`CREATE TABLE IF NOT EXISTS outbox_files (
      key TEXT PRIMARY KEY, file_key TEXT NOT NULL, name TEXT NOT NULL)`);
  }

  /** Takes a message. @returns whether it will be sent: false for a key that it knows, or when too many wait */
  add(
    key: string,
    text: string,
    ifUnknown: IfUnknown = "repeat",
    file: OutgoingFile | null = null,
  ): boolean {
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
      if (added.length === 0) return false;
      if (file)
        this.sql.all(
          "INSERT OR REPLACE INTO outbox_files (key, file_key, name) VALUES (?, ?, ?)",
          key,
          file.fileKey,
          file.name,
        );
      return true;
    });
  }

  /** Whether a message of this key was taken, be it sent or not. */
  knows(key: string): boolean {
    return this.sql.all("SELECT 1 FROM outbox WHERE key = ?", key).length > 0;
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
      file: this.fileOf(row.key),
    };
  }

  private fileOf(key: string): OutgoingFile | null {
    const [file] = this.sql.all<{ file_key: string; name: string }>(
      "SELECT file_key, name FROM outbox_files WHERE key = ?",
      key,
    );
    return file ? { fileKey: file.file_key, name: file.name } : null;
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
    return this.sql
      .all<Omit<OutgoingNotice, "file">>(
        "SELECT key, text, if_unknown AS ifUnknown FROM outbox WHERE done_at IS NULL ORDER BY sequence",
      )
      .map((notice) => ({ ...notice, file: this.fileOf(notice.key) }));
  }

  forgetOld(): void {
    this.sql.all("DELETE FROM outbox WHERE done_at < ?", this.now() - REMEMBERED_MS);
    this.sql.all(
      "DELETE FROM outbox_files WHERE key NOT IN (SELECT key FROM outbox WHERE done_at IS NULL)",
    );
  }
}
