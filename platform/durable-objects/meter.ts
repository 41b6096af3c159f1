import { DurableObject } from "cloudflare:workers";
import { eq } from "drizzle-orm";
import type { UsageBatch, UsageMessage, UsageQueueMessage } from "#core/usage/usage-record.ts";
import { packBatches, type StoredBatch } from "#core/usage/pack-batches.ts";
import { EPOCH_OF_DELETED_TEAM } from "#core/teams/team-epoch.ts";
import { teams } from "#schema";
import { openDatabase } from "../database.ts";
import { consoleLogger } from "../logger.ts";
import { databaseSettings, readSettings } from "../settings.ts";
import { z } from "zod";

/** What the Meter's home Worker gives it. */
export interface MeterBindings {
  USAGE_QUEUE: Queue<UsageQueueMessage>;
}

const settingsShape = z.object(databaseSettings);

/** How long records wait for others to share a message with, in milliseconds. */
const GATHER_MS = 500;
/** After which time without a confirmation a batch is sent again. It must exceed the queue's own retries of a healthy consumer. */
const RESEND_MS = 60_000;
/** After which time an announced change is looked up, where its maker has not told how it ended. */
const EXPECTED_CHANGE_MS = 2_000;
/** Messages that one alarm sends; the rest waits for the next, so that an alarm stays short. */
const MESSAGES_PER_ALARM = 20;
/** Rows that one alarm looks at. */
const BATCHES_PER_ALARM = 2_000;

/**
 * One per team, named by its id: it mirrors the team's epoch, and is the outbox of its usage records until Postgres
 * has confirmed them. What it has taken survives the death of every process; see docs/storage.md for its tables.
 */
export class Meter extends DurableObject<MeterBindings> {
  private readonly sql = this.ctx.storage.sql;

  constructor(state: DurableObjectState, env: MeterBindings) {
    super(state, env);
    this.sql.exec(
      `CREATE TABLE IF NOT EXISTS epoch (only INTEGER PRIMARY KEY CHECK (only = 1), team_id TEXT NOT NULL, value INTEGER NOT NULL, expected_change_at INTEGER)`,
    );
    this.sql.exec(
      `CREATE TABLE IF NOT EXISTS outbox (batch_id TEXT PRIMARY KEY, team_id TEXT NOT NULL, records TEXT NOT NULL, stored_at INTEGER NOT NULL, sent_at INTEGER, sends INTEGER NOT NULL DEFAULT 0)`,
    );
    this.sql.exec(`CREATE INDEX IF NOT EXISTS outbox_due ON outbox (sent_at, stored_at)`);
  }

  /** The team's epoch. Read from Postgres once in the object's life, then kept here. */
  async epoch(teamId: string): Promise<number> {
    const [row] = this.sql.exec<{ value: number }>("SELECT value FROM epoch").toArray();
    return row ? row.value : this.lookUpEpoch(teamId);
  }

  /** Says that a change of the team is about to be written; see EpochAnnouncer. */
  async expectChange(teamId: string): Promise<void> {
    await this.epoch(teamId);
    this.sql.exec("UPDATE epoch SET expected_change_at = ?", Date.now() + EXPECTED_CHANGE_MS);
    await this.wakeBy(Date.now() + EXPECTED_CHANGE_MS);
  }

  /** Takes a later epoch; an earlier one changes nothing. */
  async raiseEpoch(teamId: string, value: number): Promise<void> {
    this.sql.exec(
      `INSERT INTO epoch (only, team_id, value) VALUES (1, ?, ?)
       ON CONFLICT (only) DO UPDATE SET value = max(value, excluded.value), expected_change_at = NULL`,
      teamId,
      value,
    );
  }

  /** Takes usage records for good. A batch that is already here, by its id, changes nothing. */
  async report(teamId: string, batches: UsageBatch[]): Promise<void> {
    const now = Date.now();
    for (const batch of batches) {
      this.sql.exec(
        "INSERT OR IGNORE INTO outbox (batch_id, team_id, records, stored_at) VALUES (?, ?, ?, ?)",
        batch.id,
        teamId,
        JSON.stringify(batch.records),
        now,
      );
    }
    await this.wakeBy(now + GATHER_MS);
  }

  /** Postgres has these batches: they are forgotten here. */
  async confirm(batchIds: string[]): Promise<void> {
    for (const id of batchIds) this.sql.exec("DELETE FROM outbox WHERE batch_id = ?", id);
  }

  /** How much waits here, for health checks and operators. */
  async backlog(): Promise<{ batches: number; oldestStoredAt: number | null }> {
    const row = this.sql
      .exec<{ batches: number; oldest: number | null }>(
        "SELECT count(*) AS batches, min(stored_at) AS oldest FROM outbox",
      )
      .one();
    return { batches: row.batches, oldestStoredAt: row.oldest };
  }

  override async alarm(): Promise<void> {
    try {
      await this.settleExpectedChange();
      await this.sendOutbox();
    } catch (error) {
      // An alarm that throws is tried again only a few times; the outbox must be emptied whatever happens.
      consoleLogger("info", "api").error("meter_alarm_failed", { error });
      await this.ctx.storage.setAlarm(Date.now() + 5_000);
      return;
    }
    await this.wakeForNext();
  }

  private async sendOutbox(): Promise<void> {
    const now = Date.now();
    const due = this.sql
      .exec<StoredBatch>(
        `SELECT batch_id AS id, team_id AS teamId, records FROM outbox
         WHERE sent_at IS NULL OR sent_at <= ? ORDER BY stored_at LIMIT ?`,
        now - RESEND_MS,
        BATCHES_PER_ALARM,
      )
      .toArray();
    for (const packed of packBatches(due).slice(0, MESSAGES_PER_ALARM)) {
      const message: UsageMessage = {
        kind: "usage",
        teamId: packed.teamId,
        batches: packed.batches.map((batch) => ({
          id: batch.id,
          records: JSON.parse(batch.records),
        })),
      };
      await this.env.USAGE_QUEUE.send(message, { contentType: "json" });
      for (const batch of packed.batches) {
        this.sql.exec(
          "UPDATE outbox SET sent_at = ?, sends = sends + 1 WHERE batch_id = ?",
          now,
          batch.id,
        );
      }
    }
  }

  private async settleExpectedChange(): Promise<void> {
    const [row] = this.sql
      .exec<{ team_id: string; expected_change_at: number | null }>(
        "SELECT team_id, expected_change_at FROM epoch",
      )
      .toArray();
    if (!row || row.expected_change_at === null || row.expected_change_at > Date.now()) return;
    await this.lookUpEpoch(row.team_id);
  }

  private async lookUpEpoch(teamId: string): Promise<number> {
    const db = openDatabase(readSettings(settingsShape, this.env));
    const [team] = await db.select({ epoch: teams.epoch }).from(teams).where(eq(teams.id, teamId));
    await this.raiseEpoch(teamId, team?.epoch ?? EPOCH_OF_DELETED_TEAM);
    return this.sql.exec<{ value: number }>("SELECT value FROM epoch").one().value;
  }

  private async wakeBy(time: number): Promise<void> {
    const alarm = await this.ctx.storage.getAlarm();
    if (alarm === null || alarm > time) await this.ctx.storage.setAlarm(time);
  }

  /** Sets the alarm for whatever comes next: unsent batches, a confirmation that stays out, an expected change. */
  private async wakeForNext(): Promise<void> {
    const { unsent, oldest } = this.sql
      .exec<{ unsent: number; oldest: number | null }>(
        "SELECT count(*) FILTER (WHERE sent_at IS NULL) AS unsent, min(sent_at) AS oldest FROM outbox",
      )
      .one();
    const [change] = this.sql
      .exec<{ at: number | null }>("SELECT expected_change_at AS at FROM epoch")
      .toArray();
    const times = [
      unsent > 0 ? Date.now() : null,
      oldest === null ? null : oldest + RESEND_MS,
      change?.at ?? null,
    ];
    const next = times.filter((time) => time !== null);
    if (next.length > 0) await this.wakeBy(Math.min(...next));
  }
}
