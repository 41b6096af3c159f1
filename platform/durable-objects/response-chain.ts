import { DurableObject } from "cloudflare:workers";
import { z } from "zod";
import {
  type KeptChain,
  type KeptResponse,
  LONGEST_CHAIN,
  type ResponseChainStore,
  type ResponseToKeep,
} from "#core/responses/response-store.ts";
import { readSettings, responseSettings } from "../settings.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** The longest piece of a text in one row, in UTF-16 units: a row holds at most 2 MB, and a unit takes at most 3 bytes. */
const PIECE_LENGTH = 500_000;

type Part = "input" | "response";
type Row = Record<string, SqlStorageValue> & {
  id: string;
  previous_id: string | null;
  length: number;
};

const settingsShape = z.object(responseSettings);

/**
 * Responses that go on from one another: a tree, named by its team and its first response. What was said lies here and
 * nowhere else. Each is there for RESPONSE_DAYS; its text stays as long as one that goes on from it is there. When the
 * last one's time is over, the object erases itself.
 */
export class ResponseChain extends DurableObject implements ResponseChainStore {
  private readonly sql = this.ctx.storage.sql;
  private readonly settings = readSettings(settingsShape, this.env as object); // settings, of which the shape takes what it names

  async keep({ id, previousId, endUser, input, response }: ResponseToKeep): Promise<void> {
    const now = Date.now();
    const until = now + this.settings.RESPONSE_DAYS * DAY_MS;
    const alarm = await this.ctx.storage.getAlarm();
    // Nothing is awaited between the writes, so that texts and the alarm that ends them are there together.
    this.ctx.storage.transactionSync(() => {
      this.createTables();
      this.sql.exec(
        `INSERT OR IGNORE INTO responses (id, previous_id, end_user, length, created_at, until, text_until)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
        id,
        previousId,
        endUser,
        input.length + response.length,
        now,
        until,
        until,
      );
      this.writePieces(id, "input", input);
      this.writePieces(id, "response", response);
      this.sql.exec(
        `${CHAIN} UPDATE responses SET text_until = ? WHERE id IN (SELECT id FROM chain)`,
        id,
        until,
      );
    });
    if (alarm === null || alarm > until) await this.ctx.storage.setAlarm(until);
  }

  async read(id: string, endUser: string | null): Promise<KeptResponse | null> {
    return this.reach(id, endUser) ? this.textsOf(id) : null;
  }

  async chain(id: string, endUser: string | null): Promise<KeptChain> {
    if (!this.reach(id, endUser)) return { state: "unknown" };
    const rows = this.sql
      .exec<Row>(
        `${CHAIN} SELECT responses.id, previous_id, length FROM chain JOIN responses USING (id) ORDER BY depth DESC`,
        id,
      )
      .toArray();
    if (rows[0]?.previous_id !== null) return { state: "broken" };
    const length = rows.reduce((sum, row) => sum + row.length, 0);
    if (length > LONGEST_CHAIN) return { state: "too_long" };
    return { state: "found", responses: rows.map((row) => this.textsOf(row.id)) };
  }

  async erase(id: string, endUser: string | null): Promise<boolean> {
    if (!this.reach(id, endUser)) return false;
    this.ctx.storage.transactionSync(() => {
      this.sql.exec("DELETE FROM pieces WHERE response_id = ?", id);
      this.sql.exec("DELETE FROM responses WHERE id = ?", id);
    });
    if (this.nextEnd() === null) await this.ctx.storage.deleteAll();
    return true;
  }

  override async alarm(): Promise<void> {
    const now = Date.now();
    if (this.hasTables())
      this.ctx.storage.transactionSync(() => {
        this.sql.exec(
          "DELETE FROM pieces WHERE response_id IN (SELECT id FROM responses WHERE text_until <= ?)",
          now,
        );
        this.sql.exec("DELETE FROM responses WHERE text_until <= ?", now);
      });
    const next = this.nextEnd();
    if (next === null) await this.ctx.storage.deleteAll();
    else await this.ctx.storage.setAlarm(next);
  }

  private reach(id: string, endUser: string | null): boolean {
    if (!this.hasTables()) return false;
    const found = this.sql.exec(
      "SELECT 1 FROM responses WHERE id = ? AND until > ? AND (? IS NULL OR end_user = ?)",
      id,
      Date.now(),
      endUser,
      endUser,
    );
    return found.toArray().length > 0;
  }

  private textsOf(id: string): KeptResponse {
    return { input: this.readPieces(id, "input"), response: this.readPieces(id, "response") };
  }

  private writePieces(id: string, part: Part, text: string): void {
    for (let start = 0, number = 0; start < text.length; start += PIECE_LENGTH, number++)
      this.sql.exec(
        "INSERT OR IGNORE INTO pieces (response_id, part, number, text) VALUES (?, ?, ?, ?)",
        id,
        part,
        number,
        text.slice(start, start + PIECE_LENGTH),
      );
  }

  private readPieces(id: string, part: Part): string {
    return this.sql
      .exec<{ text: string }>(
        "SELECT text FROM pieces WHERE response_id = ? AND part = ? ORDER BY number",
        id,
        part,
      )
      .toArray()
      .map(({ text }) => text)
      .join("");
  }

  /** When the next text goes; null where nothing is kept. */
  private nextEnd(): number | null {
    if (!this.hasTables()) return null;
    return this.sql
      .exec<{ next: number | null }>("SELECT min(text_until) AS next FROM responses")
      .one().next;
  }

  /** Nothing is written, not even a table, by who asks for a response that was never kept. */
  private hasTables(): boolean {
    return (
      this.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'responses'").toArray().length > 0
    );
  }

  private createTables(): void {
    this.sql.exec(
      `CREATE TABLE IF NOT EXISTS responses (id TEXT PRIMARY KEY, previous_id TEXT, end_user TEXT, length INTEGER NOT NULL,
       created_at INTEGER NOT NULL, until INTEGER NOT NULL, text_until INTEGER NOT NULL)`,
    );
    this.sql.exec(
      `CREATE TABLE IF NOT EXISTS pieces (response_id TEXT NOT NULL, part TEXT NOT NULL, number INTEGER NOT NULL,
       text TEXT NOT NULL, PRIMARY KEY (response_id, part, number))`,
    );
  }
}

/** A response and those before it, as far as they are there. */
const CHAIN = `WITH RECURSIVE chain (id, depth) AS (
  SELECT ?, 0 UNION ALL SELECT responses.previous_id, depth + 1 FROM responses JOIN chain USING (id)
  WHERE responses.previous_id IS NOT NULL
)`;
