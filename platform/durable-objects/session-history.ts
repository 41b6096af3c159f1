import {
  listedContent,
  type MessageContent,
  pictureBytes,
  withoutPictures,
} from "#core/sessions/message-content.ts";
import type { KeptAnswer, SessionMessage, TurnRetry } from "#core/sessions/session.ts";
import type { ToolMessage } from "#core/sessions/tool-calls.ts";
import { messageTokens, toolTokensOf } from "#core/sessions/trim-history.ts";

/** The longest piece of a text in one row, in UTF-16 units: a row holds at most 2 MB, and a unit takes at most 3 bytes. */
const PIECE_LENGTH = 500_000;
/** How long the contents of a page may be together, in UTF-16 units. */
const PAGE_LENGTH = 4_000_000;
/** Messages that a session keeps; beyond it, the oldest go. */
const MESSAGES_KEPT = 10_000;
/** How long the calls of one turn and their results may be, in UTF-16 units of JSON; longer ones are not kept. */
const TOOL_MESSAGES_LENGTH = 400_000;
/** Bytes of inline pictures that a session keeps, the newest. Those of the newest message stay in any case. */
const PICTURE_BYTES_KEPT = 4 * 1024 * 1024;

export type Row<T> = T & Record<string, SqlStorageValue>;

type MessageRow = Row<{
  position: number;
  id: string;
  role: SessionMessage["role"];
  /** How many tokens it takes in a prompt, estimated once. */
  tokens: number;
  /** Bytes of its inline pictures. */
  pictures: number;
  model: string | null;
  finish_reason: string | null;
  input_tokens: number;
  output_tokens: number;
  cost_micros: number;
  /** Of the call that this answers. */
  retry_key: string | null;
  request_hash: string | null;
  created_at: number;
}>;

/** A message of the history as far as trimming looks at it. */
type WeighedRow = Row<Pick<MessageRow, "id" | "role" | "tokens"> & { toolTokens: number }>;

/** An answer that was given under a retry key. */
export interface RetriedAnswer {
  position: number;
  requestHash: string | null;
  createdAt: number;
  answer: KeptAnswer;
}

const TABLES = [
  `CREATE TABLE messages (position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, role TEXT NOT NULL,
    tokens INTEGER NOT NULL, pictures INTEGER NOT NULL DEFAULT 0, model TEXT, finish_reason TEXT,
    input_tokens INTEGER NOT NULL DEFAULT 0, output_tokens INTEGER NOT NULL DEFAULT 0,
    cost_micros INTEGER NOT NULL DEFAULT 0, retry_key TEXT, request_hash TEXT, created_at INTEGER NOT NULL)`,
  `CREATE INDEX messages_retry_key ON messages (retry_key) WHERE retry_key IS NOT NULL`,
  `CREATE INDEX messages_pictures ON messages (position) WHERE pictures > 0`,
  `CREATE TABLE pieces (message_id TEXT NOT NULL, number INTEGER NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY (message_id, number))`,
];

/** Sessions of an earlier release get it when their next turn begins. */
const TOOL_TURNS = `CREATE TABLE IF NOT EXISTS tool_turns (message_id TEXT PRIMARY KEY, tokens INTEGER NOT NULL)`;

/** Where the calls of tools before an answer are, among the pieces of contents. */
const callsOf = (messageId: string) => `${messageId}/tools`;

/** What was said in a session: the messages, and their contents in pieces that fit into rows. */
export class SessionHistory {
  private readonly sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.sql = sql;
  }

  createTables(): void {
    for (const table of TABLES) this.sql.exec(table);
    this.completeTables();
  }

  /** Makes what later releases have added. */
  completeTables(): void {
    this.sql.exec(TOOL_TURNS);
  }

  dropTables(): void {
    this.sql.exec("DROP TABLE IF EXISTS tool_turns");
    this.sql.exec("DROP TABLE IF EXISTS pieces");
    this.sql.exec("DROP TABLE IF EXISTS messages");
  }

  /** Adds what the user said; its content is there already. */
  addQuestion(messageId: string, createdAt: number): void {
    const content = this.readContent(messageId);
    this.sql.exec(
      "INSERT INTO messages (id, role, tokens, pictures, created_at) VALUES (?, 'user', ?, ?, ?)",
      messageId,
      messageTokens("user", content),
      pictureBytes(content),
      createdAt,
    );
  }

  /** Adds what the model said, and bounds the history. */
  addAnswer(answer: KeptAnswer, retry: TurnRetry | null, createdAt: number): void {
    this.sql.exec(
      `INSERT INTO messages (id, role, tokens, model, finish_reason, input_tokens, output_tokens, cost_micros,
       retry_key, request_hash, created_at) VALUES (?, 'assistant', ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      answer.messageId,
      messageTokens("assistant", answer.reply),
      answer.model,
      answer.finishReason,
      answer.inputTokens,
      answer.outputTokens,
      answer.costMicros,
      retry?.key ?? null,
      retry?.requestHash ?? null,
      createdAt,
    );
    this.writeContent(answer.messageId, answer.reply);
    this.boundMessages();
    this.boundPictures();
  }

  /** Adds what the model called before an answer, and what came of it. */
  addCalls(messageId: string, messages: readonly ToolMessage[]): void {
    if (messages.length === 0 || JSON.stringify(messages).length > TOOL_MESSAGES_LENGTH) return;
    this.sql.exec(
      "INSERT INTO tool_turns (message_id, tokens) VALUES (?, ?)",
      messageId,
      toolTokensOf(messages),
    );
    this.writeContent(callsOf(messageId), messages);
  }

  /** What the model called before an answer. */
  readCalls(messageId: string): ToolMessage[] {
    return this.readJson(callsOf(messageId)) as ToolMessage[]; // as addCalls wrote it
  }

  forgetAll(): void {
    this.sql.exec("DELETE FROM tool_turns");
    this.sql.exec("DELETE FROM messages");
    this.sql.exec("DELETE FROM pieces");
  }

  /** Takes an answer out of the history, with the message that it answers: both were written together. */
  forgetAnswer(position: number): void {
    const both = this.rows("position <= ? ORDER BY position DESC LIMIT 2", position);
    for (const row of both) this.forget(row.id);
  }

  answerTo(retryKey: string): RetriedAnswer | null {
    const [row] = this.rows("retry_key = ? ORDER BY position DESC LIMIT 1", retryKey);
    if (!row) return null;
    const answer: KeptAnswer = {
      messageId: row.id,
      reply: String(this.readContent(row.id)),
      model: row.model ?? "",
      finishReason: row.finish_reason ?? "",
      inputTokens: row.input_tokens,
      outputTokens: row.output_tokens,
      costMicros: row.cost_micros,
    };
    const { position, request_hash: requestHash, created_at: createdAt } = row;
    return { position, requestHash, createdAt, answer };
  }

  has(messageId: string): boolean {
    return this.rows("id = ?", messageId).length > 0;
  }

  isNewest(position: number): boolean {
    return this.rows("position > ? LIMIT 1", position).length === 0;
  }

  count(): number {
    return this.sql.exec<Row<{ count: number }>>("SELECT count(*) AS count FROM messages").one()
      .count;
  }

  /** Of the latest message that there ever was, also when it is forgotten; 0 before the first one. */
  lastPosition(): number {
    const [row] = this.sql.exec<Row<{ seq: number }>>(
      "SELECT seq FROM sqlite_sequence WHERE name = 'messages'",
    );
    return row?.seq ?? 0;
  }

  /** The newest first, read row by row, without their contents. */
  *weighed(): Iterable<WeighedRow> {
    yield* this.sql.exec<WeighedRow>(
      `SELECT id, role, messages.tokens AS tokens, coalesce(tool_turns.tokens, 0) AS toolTokens
       FROM messages LEFT JOIN tool_turns ON tool_turns.message_id = messages.id ORDER BY position DESC`,
    );
  }

  /** The newest first. Large ones make the page shorter: an answer between Workers has its limit. */
  list(page: { limit: number; before: number | null }): {
    messages: SessionMessage[];
    more: boolean;
  } {
    const before = page.before ?? Number.MAX_SAFE_INTEGER;
    const rows = this.rows("position < ? ORDER BY position DESC LIMIT ?", before, page.limit + 1);
    const messages: SessionMessage[] = [];
    let length = 0;
    for (const row of rows.slice(0, page.limit)) {
      const content = listedContent(this.readContent(row.id));
      length += JSON.stringify(content).length;
      if (length > PAGE_LENGTH && messages.length > 0) break;
      messages.push({
        position: row.position,
        id: row.id,
        role: row.role,
        content,
        model: row.model,
        finishReason: row.finish_reason,
        createdAt: row.created_at,
      });
    }
    return { messages, more: messages.length < rows.length };
  }

  readContent(messageId: string): MessageContent {
    return this.readJson(messageId) as MessageContent; // as writeContent wrote it
  }

  private readJson(name: string): unknown {
    const pieces = this.sql
      .exec<Row<{ text: string }>>(
        "SELECT text FROM pieces WHERE message_id = ? ORDER BY number",
        name,
      )
      .toArray();
    return JSON.parse(pieces.map((piece) => piece.text).join(""));
  }

  writeContent(messageId: string, content: MessageContent | readonly ToolMessage[]): void {
    const json = JSON.stringify(content);
    for (let start = 0, number = 0; start < json.length; number++) {
      let end = Math.min(json.length, start + PIECE_LENGTH);
      // A character beyond the basic plane is two units, which must not come apart: UTF-8 has no half of it.
      if (end < json.length && isHighSurrogate(json.charCodeAt(end - 1))) end--;
      this.sql.exec(
        "INSERT INTO pieces (message_id, number, text) VALUES (?, ?, ?)",
        messageId,
        number,
        json.slice(start, end),
      );
      start = end;
    }
  }

  forgetContent(messageId: string): void {
    this.sql.exec("DELETE FROM pieces WHERE message_id = ?", messageId);
  }

  private boundMessages(): void {
    const tooOld = this.rows("position <= (SELECT max(position) FROM messages) - ?", MESSAGES_KEPT);
    for (const row of tooOld) this.forget(row.id);
  }

  private boundPictures(): void {
    let left = PICTURE_BYTES_KEPT;
    const withPictures = this.rows("pictures > 0 ORDER BY position DESC");
    for (const [index, row] of withPictures.entries()) {
      left -= row.pictures;
      if (left >= 0 || index === 0) continue;
      const content = withoutPictures(this.readContent(row.id));
      this.forgetContent(row.id);
      this.writeContent(row.id, content);
      this.sql.exec(
        "UPDATE messages SET pictures = 0, tokens = ? WHERE id = ?",
        messageTokens(row.role, content),
        row.id,
      );
    }
  }

  private forget(id: string): void {
    this.sql.exec("DELETE FROM messages WHERE id = ?", id);
    this.sql.exec("DELETE FROM tool_turns WHERE message_id = ?", id);
    this.forgetContent(callsOf(id));
    this.forgetContent(id);
  }

  private rows(condition: string, ...values: SqlStorageValue[]): MessageRow[] {
    return this.sql
      .exec<MessageRow>(`SELECT * FROM messages WHERE ${condition}`, ...values)
      .toArray();
  }
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
