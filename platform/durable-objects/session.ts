import { DurableObject } from "cloudflare:workers";
import { eq } from "drizzle-orm";
import { z } from "zod";
import type {
  MessageContent,
  SessionInfo,
  SessionMessage,
  SessionStore,
  TurnBegin,
  TurnEnd,
  TurnStart,
} from "#core/sessions/session.ts";
import { newId } from "#core/kernel/ids.ts";
import { trimHistory, withoutImages } from "#core/sessions/trim-history.ts";
import { sessions } from "#schema";
import { openDatabase } from "../database.ts";
import { consoleLogger } from "../logger.ts";
import { databaseSettings, readSettings, sessionSettings } from "../settings.ts";

const settingsShape = z.object({ ...databaseSettings, ...sessionSettings });

/** A turn that has not ended by then is taken to be dead; the longest answers are well below it. */
const TURN_MS = 10 * 60_000;
/** When to try again to write the index row, after Postgres could not be reached. */
const INDEX_RETRY_MS = 30_000;
const DAY_MS = 24 * 60 * 60 * 1000;
/** How much of the history is looked at for a turn; the newest messages. */
const HISTORY_ROWS = 2_000;

interface InfoRow extends Record<string, SqlStorageValue> {
  id: string;
  team_id: string;
  key_id: string | null;
  end_user: string | null;
  title: string | null;
  model: string;
  system: string | null;
  input_tokens: number;
  output_tokens: number;
  created_at: number;
  last_active_at: number;
  index_due: number;
  turn_id: string | null;
  turn_until: number | null;
  turn_message: string | null;
}

interface MessageRow extends Record<string, SqlStorageValue> {
  position: number;
  id: string;
  role: string;
  content: string;
  model: string | null;
  finish_reason: string | null;
  created_at: number;
}

/**
 * One chat session, named by its id: history, title and prompt live here and nowhere else. One turn at a time; what a
 * turn said is written when it ends, both sides together. An idle session erases itself by its alarm.
 */
export class Session extends DurableObject implements SessionStore {
  private readonly sql = this.ctx.storage.sql;

  async read(teamId: string): Promise<SessionInfo | null> {
    const row = this.row(teamId);
    return row ? this.infoOf(row) : null;
  }

  async change(
    teamId: string,
    changes: { title?: string | null; model?: string; system?: string | null },
  ): Promise<SessionInfo | null> {
    if (!this.row(teamId)) return null;
    for (const name of ["title", "model", "system"] as const) {
      const value = changes[name];
      if (value !== undefined)
        this.sql.exec(`UPDATE session SET ${name} = ?, index_due = 1`, value);
    }
    await this.touch();
    return this.read(teamId);
  }

  async messages(
    teamId: string,
    page: { limit: number; before: number | null },
  ): Promise<{ messages: (SessionMessage & { position: number })[] } | null> {
    if (!this.row(teamId)) return null;
    const rows = this.sql
      .exec<MessageRow>(
        "SELECT * FROM messages WHERE position < ? ORDER BY position DESC LIMIT ?",
        page.before ?? Number.MAX_SAFE_INTEGER,
        page.limit,
      )
      .toArray();
    return { messages: rows.map(messageOf) };
  }

  async reset(teamId: string): Promise<SessionInfo | "busy" | null> {
    const row = this.row(teamId);
    if (!row) return null;
    if (isBusy(row)) return "busy";
    this.sql.exec("DELETE FROM messages");
    this.sql.exec("UPDATE session SET index_due = 1");
    await this.touch();
    return this.read(teamId);
  }

  async erase(teamId: string): Promise<boolean> {
    if (!this.row(teamId)) return false;
    await this.eraseAll();
    return true;
  }

  async begin(turn: TurnStart): Promise<TurnBegin> {
    if (turn.create) this.create(turn.teamId, turn.create);
    const row = this.row(turn.teamId);
    if (!row) return { state: "unknown" };
    if (isBusy(row)) return { state: "busy" };
    const system = turn.system === undefined ? row.system : turn.system;
    const messages = trimHistory(system, this.history(), turn.message, turn.inputTokens);
    if (!messages) {
      if (turn.create) await this.eraseAll();
      return { state: "too_long" };
    }
    this.sql.exec(
      "UPDATE session SET turn_id = ?, turn_until = ?, turn_message = ?, last_active_at = ?",
      turn.turnId,
      Date.now() + TURN_MS,
      JSON.stringify(withoutImages(turn.message)),
      Date.now(),
    );
    await this.ctx.storage.setAlarm(Date.now() + this.idleMs());
    return { state: "begun", messages };
  }

  async finish(end: TurnEnd): Promise<boolean> {
    const row = this.ownTurn(end.turnId);
    if (!row) return false;
    const now = Date.now();
    const insert =
      "INSERT INTO messages (id, role, content, model, finish_reason, created_at) VALUES (?, ?, ?, ?, ?, ?)";
    this.sql.exec(insert, newId("message", now), "user", row.turn_message ?? '""', null, null, now);
    this.sql.exec(
      insert,
      end.messageId,
      "assistant",
      JSON.stringify(end.reply),
      end.model,
      end.finishReason,
      now,
    );
    this.sql.exec(
      `UPDATE session SET turn_id = NULL, turn_until = NULL, turn_message = NULL, model = ?, system = ?, index_due = 1,
       input_tokens = input_tokens + ?, output_tokens = output_tokens + ?`,
      end.model,
      end.system === undefined ? row.system : end.system,
      end.inputTokens,
      end.outputTokens,
    );
    await this.touch();
    return true;
  }

  async abandon(turnId: string): Promise<void> {
    if (!this.ownTurn(turnId)) return;
    const { count } = this.sql
      .exec<{ count: number }>("SELECT count(*) AS count FROM messages")
      .one();
    const [row] = this.sql.exec<InfoRow>("SELECT * FROM session").toArray();
    // A session whose first turn failed was never told to anybody: nothing of it stays.
    if (count === 0 && row && row.input_tokens === 0 && row.title === null) return this.eraseAll();
    this.sql.exec("UPDATE session SET turn_id = NULL, turn_until = NULL, turn_message = NULL");
  }

  override async alarm(): Promise<void> {
    const [row] = this.tables() ? this.sql.exec<InfoRow>("SELECT * FROM session").toArray() : [];
    if (!row) return;
    if (row.last_active_at + this.idleMs() <= Date.now() && !isBusy(row)) {
      try {
        return await this.eraseAll();
      } catch (error) {
        consoleLogger("info", "api").warn("session_expiry_failed", { session_id: row.id, error });
        return this.ctx.storage.setAlarm(Date.now() + INDEX_RETRY_MS);
      }
    }
    await this.writeIndex();
    const { index_due } = this.sql.exec<InfoRow>("SELECT * FROM session").one();
    const idleAt = row.last_active_at + this.idleMs();
    await this.ctx.storage.setAlarm(
      Math.max(Date.now() + 1_000, index_due ? Date.now() + INDEX_RETRY_MS : idleAt),
    );
  }

  /** Marks the session as used, and brings its index row up to date, now or by the alarm. */
  private async touch(): Promise<void> {
    this.sql.exec("UPDATE session SET last_active_at = ?", Date.now());
    await this.ctx.storage.setAlarm(Date.now() + INDEX_RETRY_MS);
    await this.writeIndex();
    const { index_due } = this.sql.exec<InfoRow>("SELECT * FROM session").one();
    if (!index_due) await this.ctx.storage.setAlarm(Date.now() + this.idleMs());
  }

  /** Writes the row that Postgres lists the session by. A failure stays due, and the alarm tries again. */
  private async writeIndex(): Promise<void> {
    const [row] = this.sql.exec<InfoRow>("SELECT * FROM session WHERE index_due = 1").toArray();
    if (!row) return;
    const info = this.infoOf(row);
    const changing = {
      model: info.model,
      messages: info.messages,
      inputTokens: info.inputTokens,
      outputTokens: info.outputTokens,
      lastActiveAt: new Date(info.lastActiveAt),
    };
    const whole = {
      id: info.id,
      teamId: info.teamId,
      keyId: info.keyId,
      endUser: info.endUser,
      createdAt: new Date(info.createdAt),
      ...changing,
    };
    try {
      await this.database()
        .insert(sessions)
        .values(whole)
        .onConflictDoUpdate({ target: sessions.id, set: changing });
      this.sql.exec(
        "UPDATE session SET index_due = 0 WHERE last_active_at = ?",
        row.last_active_at,
      );
    } catch (error) {
      consoleLogger("info", "api").warn("session_index_failed", { session_id: info.id, error });
    }
  }

  private async eraseAll(): Promise<void> {
    const [row] = this.sql.exec<InfoRow>("SELECT * FROM session").toArray();
    if (row) await this.database().delete(sessions).where(eq(sessions.id, row.id));
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
  }

  private create(teamId: string, create: NonNullable<TurnStart["create"]>): void {
    this.sql.exec(`CREATE TABLE IF NOT EXISTS session (
      only INTEGER PRIMARY KEY CHECK (only = 1), id TEXT NOT NULL, team_id TEXT NOT NULL, key_id TEXT, end_user TEXT,
      title TEXT, model TEXT NOT NULL, system TEXT, input_tokens INTEGER NOT NULL DEFAULT 0, output_tokens INTEGER NOT NULL DEFAULT 0,
      created_at INTEGER NOT NULL, last_active_at INTEGER NOT NULL, index_due INTEGER NOT NULL DEFAULT 0,
      turn_id TEXT, turn_until INTEGER, turn_message TEXT)`);
    this.sql.exec(`CREATE TABLE IF NOT EXISTS messages (
      position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, role TEXT NOT NULL, content TEXT NOT NULL,
      model TEXT, finish_reason TEXT, created_at INTEGER NOT NULL)`);
    const now = Date.now();
    this.sql.exec(
      `INSERT OR IGNORE INTO session (only, id, team_id, key_id, end_user, model, system, created_at, last_active_at)
       VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)`,
      create.id,
      teamId,
      create.keyId,
      create.endUser,
      create.model,
      create.system,
      now,
      now,
    );
  }

  /** The session's row, where there is a session and the team is its own. */
  private row(teamId: string): InfoRow | null {
    if (!this.tables()) return null;
    const [row] = this.sql
      .exec<InfoRow>("SELECT * FROM session WHERE team_id = ?", teamId)
      .toArray();
    return row ?? null;
  }

  private ownTurn(turnId: string): InfoRow | null {
    if (!this.tables()) return null;
    const [row] = this.sql
      .exec<InfoRow>("SELECT * FROM session WHERE turn_id = ?", turnId)
      .toArray();
    return row ?? null;
  }

  /** Whether anything was ever written here: an id that somebody made up leaves no trace. */
  private tables(): boolean {
    return this.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'session'").toArray().length > 0;
  }

  private history() {
    const rows = this.sql
      .exec<MessageRow>("SELECT * FROM messages ORDER BY position DESC LIMIT ?", HISTORY_ROWS)
      .toArray()
      .reverse();
    return rows.map((row) => ({ role: messageOf(row).role, content: messageOf(row).content }));
  }

  private infoOf(row: InfoRow): SessionInfo {
    const { count } = this.sql
      .exec<{ count: number }>("SELECT count(*) AS count FROM messages")
      .one();
    return {
      id: row.id,
      teamId: row.team_id,
      keyId: row.key_id,
      endUser: row.end_user,
      title: row.title,
      model: row.model,
      system: row.system,
      messages: count,
      inputTokens: row.input_tokens,
      outputTokens: row.output_tokens,
      createdAt: row.created_at,
      lastActiveAt: row.last_active_at,
    };
  }

  private settings() {
    return readSettings(settingsShape, this.env as object); // bindings and settings, of which the shape takes what it names
  }

  private idleMs(): number {
    return this.settings().SESSION_IDLE_DAYS * DAY_MS;
  }

  private database() {
    return openDatabase(this.settings());
  }
}

function isBusy(row: InfoRow): boolean {
  return row.turn_until !== null && row.turn_until > Date.now();
}

function messageOf(row: MessageRow): SessionMessage & { position: number } {
  return {
    position: row.position,
    id: row.id,
    role: row.role as SessionMessage["role"], // written by finish only
    content: JSON.parse(row.content) as MessageContent, // likewise
    model: row.model,
    finishReason: row.finish_reason,
    createdAt: row.created_at,
  };
}
