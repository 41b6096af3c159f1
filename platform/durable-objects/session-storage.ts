import type { SessionInfo, TurnRetry } from "#core/sessions/session.ts";
import { type Row, SessionHistory } from "./session-history.ts";

export type SessionRow = Row<{
  id: string;
  team_id: string;
  key_id: string | null;
  end_user: string | null;
  title: string | null;
  /** Null where nobody chose one. */
  model: string | null;
  last_model: string;
  system: string | null;
  input_tokens: number;
  output_tokens: number;
  created_at: number;
  last_active_at: number;
  /** 0 until its first turn has succeeded. */
  born: number;
  /** The retry key of the call that made it. */
  made_by: string | null;
  /** Grows with each change that the index row must follow, which has got as far as `indexed`. */
  version: number;
  indexed: number;
}>;

/** The turn that runs. */
export type TurnRow = Row<{
  id: string;
  /** When it is taken to be dead, unless it is renewed; milliseconds since 1970. */
  until: number;
  /** What the user said; its content is written, and not yet part of the history. */
  message_id: string;
  retry_key: string | null;
  request_hash: string | null;
  started_at: number;
}>;

/** The retry that a turn was begun under. */
export function retryOf(turn: TurnRow): TurnRetry | null {
  const { retry_key: key, request_hash: requestHash } = turn;
  return key === null ? null : { key, requestHash: requestHash ?? "" };
}

/** The tables of one session; see docs/storage.md. Nothing is written, not even a table, before a session is made. */
export class SessionStorage {
  readonly history: SessionHistory;
  private readonly sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.sql = sql;
    this.history = new SessionHistory(sql);
    if (this.has("session")) this.history.completeTables();
  }

  session(): SessionRow | null {
    return this.has("session") ? this.first<SessionRow>("SELECT * FROM session") : null;
  }

  turn(): TurnRow | null {
    return this.has("session") ? this.first<TurnRow>("SELECT * FROM turn") : null;
  }

  /** The id of a session that was erased here, and whose index row may still be there. */
  erased(): string | null {
    if (!this.has("erased")) return null;
    return this.first<Row<{ id: string }>>("SELECT id FROM erased")?.id ?? null;
  }

  create(
    session: Pick<SessionRow, "id" | "team_id" | "key_id" | "end_user" | "model" | "made_by">,
    now: number,
  ): void {
    this.sql.exec("DROP TABLE IF EXISTS erased");
    this.sql.exec(
      `CREATE TABLE session (only INTEGER PRIMARY KEY CHECK (only = 1), id TEXT NOT NULL, team_id TEXT NOT NULL,
       key_id TEXT, end_user TEXT, title TEXT, model TEXT, last_model TEXT NOT NULL DEFAULT '', system TEXT,
       input_tokens INTEGER NOT NULL DEFAULT 0, output_tokens INTEGER NOT NULL DEFAULT 0,
       created_at INTEGER NOT NULL, last_active_at INTEGER NOT NULL, born INTEGER NOT NULL DEFAULT 0, made_by TEXT,
       version INTEGER NOT NULL DEFAULT 0, indexed INTEGER NOT NULL DEFAULT 0)`,
    );
    this.sql.exec(
      `CREATE TABLE turn (only INTEGER PRIMARY KEY CHECK (only = 1), id TEXT NOT NULL, until INTEGER NOT NULL,
       message_id TEXT NOT NULL, retry_key TEXT, request_hash TEXT, started_at INTEGER NOT NULL)`,
    );
    this.history.createTables();
    this.sql.exec(
      `INSERT INTO session (only, id, team_id, key_id, end_user, model, made_by, created_at, last_active_at)
       VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)`,
      session.id,
      session.team_id,
      session.key_id,
      session.end_user,
      session.model,
      session.made_by,
      now,
      now,
    );
  }

  /** Erases everything but the id, by which the index row is found. */
  erase(id: string): void {
    this.history.dropTables();
    for (const name of ["turn", "session", "erased"]) this.sql.exec(`DROP TABLE IF EXISTS ${name}`);
    this.sql.exec("CREATE TABLE erased (id TEXT NOT NULL)");
    this.sql.exec("INSERT INTO erased (id) VALUES (?)", id);
  }

  set(column: "title" | "model" | "system", value: string | null): void {
    this.sql.exec(`UPDATE session SET ${column} = ?`, value);
  }

  /** Adds a turn to the sums; from the first one on, the session is there for good. */
  countTurn(model: string, tokens: { input: number; output: number }): void {
    this.sql.exec(
      `UPDATE session SET born = 1, last_model = ?, input_tokens = input_tokens + ?,
       output_tokens = output_tokens + ?`,
      model,
      tokens.input,
      tokens.output,
    );
  }

  /** Notes a change, which the index row has to follow. */
  changed(now: number): void {
    this.sql.exec("UPDATE session SET version = version + 1, last_active_at = ?", now);
  }

  indexed(version: number): void {
    this.sql.exec("UPDATE session SET indexed = max(indexed, ?)", version);
  }

  beginTurn(turn: TurnRow): void {
    this.sql.exec(
      `INSERT INTO turn (only, id, until, message_id, retry_key, request_hash, started_at)
       VALUES (1, ?, ?, ?, ?, ?, ?)`,
      turn.id,
      turn.until,
      turn.message_id,
      turn.retry_key,
      turn.request_hash,
      turn.started_at,
    );
  }

  renewTurn(until: number): void {
    this.sql.exec("UPDATE turn SET until = ?", until);
  }

  endTurn(): void {
    this.sql.exec("DELETE FROM turn");
  }

  info(row: SessionRow): SessionInfo {
    return {
      id: row.id,
      teamId: row.team_id,
      keyId: row.key_id,
      endUser: row.end_user,
      title: row.title,
      model: row.model,
      lastModel: row.last_model,
      system: row.system,
      messages: this.history.count(),
      inputTokens: row.input_tokens,
      outputTokens: row.output_tokens,
      createdAt: row.created_at,
      lastActiveAt: row.last_active_at,
    };
  }

  private first<T extends Record<string, SqlStorageValue>>(statement: string): T | null {
    return this.sql.exec<T>(statement).toArray()[0] ?? null;
  }

  private has(table: string): boolean {
    return this.sql.exec("SELECT 1 FROM sqlite_master WHERE name = ?", table).toArray().length > 0;
  }
}
