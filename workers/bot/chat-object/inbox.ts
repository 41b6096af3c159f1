import type { SqlDatabase, SqlValue } from "./sql-database.ts";

export type Lane = "turn" | "urgent";

/** An update as it comes in. */
export interface Delivery {
  updateId: number;
  lane: Lane;
  position: number;
  /** The update as Telegram sent it, JSON. */
  body: string;
  requestId: string;
}

/** An update that is waiting or being answered, with how far its answer has come. */
export interface InboxRow extends Delivery {
  receivedAt: number;
  /** How often work on it was begun without being ended in an orderly way. */
  attempts: number;
  /** Not to be worked on before this time. */
  notBefore: number;
  /** Somebody asked to stop its answer. */
  stopped: boolean;
  /** The messages of its answer that Telegram has, in order. The first one is the placeholder that is edited. */
  messageIds: number[];
  /** How the model was asked, kept so that after a crash the same question is asked again. */
  question: string | null;
  /** What the model has written so far, kept so that a stopped answer survives a crash. */
  partial: string;
  /** The whole answer, once it is there: from here on only sending is left. */
  answer: string | null;
}

/** Turns of one chat that may wait for their answer. */
export const MOST_WAITING = 50;
/** Telegram sends an update again for 24 hours; twice that is remembered. */
const REMEMBERED_MS = 48 * 3_600_000;

/** More messages than a chat can have. */
const MOVED_FIRST = 2 ** 40;

const TABLES = [
  `CREATE TABLE IF NOT EXISTS seen_updates (update_id INTEGER PRIMARY KEY, seen_at INTEGER NOT NULL) WITHOUT ROWID`,
  `CREATE INDEX IF NOT EXISTS seen_updates_seen_at ON seen_updates (seen_at)`,
  `CREATE TABLE IF NOT EXISTS inbox (
    update_id INTEGER PRIMARY KEY, lane TEXT NOT NULL, position INTEGER NOT NULL, body TEXT NOT NULL, request_id TEXT NOT NULL,
    received_at INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, not_before INTEGER NOT NULL DEFAULT 0,
    working INTEGER NOT NULL DEFAULT 0, stopped INTEGER NOT NULL DEFAULT 0, message_ids TEXT NOT NULL DEFAULT '[]',
    question TEXT, partial TEXT NOT NULL DEFAULT '', answer TEXT)`,
];

interface StoredRow {
  update_id: number;
  lane: Lane;
  position: number;
  body: string;
  request_id: string;
  received_at: number;
  attempts: number;
  not_before: number;
  stopped: number;
  message_ids: string;
  question: string | null;
  partial: string;
  answer: string | null;
}

/**
 * A chat's updates from their arrival until they are answered. An update is remembered and queued in one transaction,
 * so it is answered once however often and in whatever order it is delivered.
 */
export class Inbox {
  private readonly sql: SqlDatabase;
  private readonly now: () => number;

  constructor(sql: SqlDatabase, now: () => number) {
    this.sql = sql;
    this.now = now;
    for (const table of TABLES) sql.all(table);
  }

  /** Takes an update. `full` means that it is remembered, but too many turns wait and it will not be answered. */
  accept(delivery: Delivery): "taken" | "duplicate" | "full" {
    const now = this.now();
    return this.sql.transaction(() => {
      const fresh = this.sql.all(
        "INSERT INTO seen_updates VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING update_id",
        delivery.updateId,
        now,
      );
      if (fresh.length === 0) return "duplicate";
      if (delivery.lane === "turn" && this.waiting("turn") >= MOST_WAITING) return "full";
      this.sql.all(
        "INSERT INTO inbox (update_id, lane, position, body, request_id, received_at) VALUES (?, ?, ?, ?, ?, ?)",
        delivery.updateId,
        delivery.lane,
        delivery.position,
        delivery.body,
        delivery.requestId,
        now,
      );
      return "taken";
    });
  }

  /** The update of a lane whose turn it is: the one begun, or of those that wait the earliest in the chat. Null while its time has not come. */
  next(lane: Lane): InboxRow | null {
    const [row] = this.sql.all<StoredRow>(
      "SELECT * FROM inbox WHERE lane = ? ORDER BY working DESC, position, received_at, update_id LIMIT 1",
      lane,
    );
    return row && row.not_before <= this.now() ? read(row) : null;
  }

  /** When the next update can be worked on; null when nothing waits. */
  wakeAt(): number | null {
    const times = (["turn", "urgent"] as const).flatMap((lane) =>
      this.sql.all<{ not_before: number }>(
        "SELECT not_before FROM inbox WHERE lane = ? ORDER BY working DESC, position, received_at, update_id LIMIT 1",
        lane,
      ),
    );
    return times.length === 0 ? null : Math.min(...times.map((row) => row.not_before));
  }

  waiting(lane: Lane): number {
    return (
      this.sql.all<{ count: number }>("SELECT count(*) AS count FROM inbox WHERE lane = ?", lane)[0]
        ?.count ?? 0
    );
  }

  /** Counts an attempt before anything is done, so that one that kills the process counts too. */
  begin(updateId: number): void {
    this.sql.all(
      "UPDATE inbox SET working = 1, attempts = attempts + 1 WHERE update_id = ?",
      updateId,
    );
  }

  finish(updateId: number): void {
    this.sql.all("DELETE FROM inbox WHERE update_id = ?", updateId);
  }

  /** Puts work off. It keeps its place: what came later goes on waiting behind it. */
  postpone(updateId: number, until: number, options: { countsAsAttempt: boolean }): void {
    const attempts = options.countsAsAttempt ? "attempts" : "max(attempts - 1, 0)";
    this.sql.all(
      `UPDATE inbox SET attempts = ${attempts}, not_before = ? WHERE update_id = ?`,
      until,
      updateId,
    );
  }

  /**
   * Notes that the answer in progress is to stop.
   * @param askedAt when it was asked for: an answer to what came later goes on
   * @returns whether there is one to stop
   */
  requestStop(askedAt: number): boolean {
    const stopped = this.sql.all(
      "UPDATE inbox SET stopped = 1 WHERE lane = 'turn' AND working = 1 AND received_at < ? RETURNING update_id",
      askedAt,
    );
    return stopped.length > 0;
  }

  /** The turn that is being answered, or null. */
  running(): InboxRow | null {
    const [row] = this.sql.all<StoredRow>(
      "SELECT * FROM inbox WHERE lane = 'turn' AND working = 1",
    );
    return row ? read(row) : null;
  }

  saveMessageIds(updateId: number, ids: number[]): void {
    this.set(updateId, "message_ids", JSON.stringify(ids));
  }

  saveQuestion(updateId: number, question: string): void {
    this.set(updateId, "question", question);
  }

  savePartial(updateId: number, partial: string): void {
    this.set(updateId, "partial", partial);
  }

  saveAnswer(updateId: number, answer: string): void {
    this.set(updateId, "answer", answer);
  }

  /** Everything that waits or is being answered. */
  all(): InboxRow[] {
    return this.sql.all<StoredRow>("SELECT * FROM inbox ORDER BY position, received_at").map(read);
  }

  /** Drops everything, for a chat that has moved or cannot be written to any more. */
  clear(): void {
    this.sql.all("DELETE FROM inbox");
  }

  /**
   * Takes turns over from the chat that this one was before it became a supergroup. They come before this chat's own,
   * and their messages are left behind, since a supergroup numbers its messages anew.
   */
  adopt(rows: InboxRow[]): void {
    this.sql.transaction(() => {
      for (const row of rows) {
        if (
          row.lane !== "turn" ||
          this.accept({ ...row, position: row.position - MOVED_FIRST }) !== "taken"
        )
          continue;
        this.sql.all(
          "UPDATE inbox SET question = ?, partial = ?, answer = ?, stopped = ? WHERE update_id = ?",
          row.question,
          row.partial,
          row.answer,
          row.stopped ? 1 : 0,
          row.updateId,
        );
      }
    });
  }

  /** Forgets what Telegram will not send again. */
  forgetOld(): void {
    this.sql.all("DELETE FROM seen_updates WHERE seen_at < ?", this.now() - REMEMBERED_MS);
  }

  private set(
    updateId: number,
    column: "message_ids" | "question" | "partial" | "answer",
    value: SqlValue,
  ): void {
    this.sql.all(`UPDATE inbox SET ${column} = ? WHERE update_id = ?`, value, updateId);
  }
}

function read(row: StoredRow): InboxRow {
  return {
    updateId: row.update_id,
    lane: row.lane,
    position: row.position,
    body: row.body,
    requestId: row.request_id,
    receivedAt: row.received_at,
    attempts: row.attempts,
    notBefore: row.not_before,
    stopped: row.stopped === 1,
    messageIds: JSON.parse(row.message_ids) as number[], // written by saveMessageIds
    question: row.question,
    partial: row.partial,
    answer: row.answer,
  };
}
