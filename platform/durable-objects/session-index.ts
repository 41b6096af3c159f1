import { eq } from "drizzle-orm";
import { isForeignKeyViolation } from "#core/kernel/postgres-errors.ts";
import { within } from "#core/kernel/within.ts";
import type { SessionInfo } from "#core/sessions/session.ts";
import { sessions } from "#schema";
import { type DatabaseSettings, openDatabase } from "../database.ts";

/** How long a statement may take, in milliseconds. */
const TIMEOUT_MS = 10_000;

/** The rows in Postgres by which sessions are listed: ids, times and counts, never a text or what is made from one. */
export class SessionIndex {
  private readonly settings: DatabaseSettings;

  constructor(settings: DatabaseSettings) {
    this.settings = settings;
  }

  /** Writes a session's row. `team_gone` where its team does not exist any more. @throws when Postgres does not answer */
  async write(info: SessionInfo): Promise<"written" | "team_gone"> {
    const changing = {
      model: info.model ?? info.lastModel,
      messages: info.messages,
      inputTokens: info.inputTokens,
      outputTokens: info.outputTokens,
      lastActiveAt: new Date(info.lastActiveAt),
    };
    const { id, teamId, keyId, endUser } = info;
    const whole = { id, teamId, keyId, endUser, createdAt: new Date(info.createdAt), ...changing };
    try {
      await within(
        TIMEOUT_MS,
        openDatabase(this.settings)
          .insert(sessions)
          .values(whole)
          .onConflictDoUpdate({ target: sessions.id, set: changing }),
      );
      return "written";
    } catch (error) {
      if (isForeignKeyViolation(error)) return "team_gone";
      throw error;
    }
  }

  /** Removes a session's row, where there is one. @throws when Postgres does not answer */
  async remove(id: string): Promise<void> {
    await within(
      TIMEOUT_MS,
      openDatabase(this.settings).delete(sessions).where(eq(sessions.id, id)),
    );
  }
}
