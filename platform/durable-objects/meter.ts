import { DurableObject } from "cloudflare:workers";
import { eq } from "drizzle-orm";
import { z } from "zod";
import type { Logger } from "#core/kernel/log.ts";
import { newId } from "#core/kernel/ids.ts";
import { loadSkillsOff } from "#core/skills/load-skills-off.ts";
import { loadGuardRailsDigest } from "#core/guard-rails/load-guard-rails.ts";
import { loadLimitRules } from "#core/limits/load-limit-rules.ts";
import { recordOfCorrection } from "#core/meter/correction-record.ts";
import type { Grant, Want } from "#core/meter/lease.ts";
import type { LeaseLog } from "#core/meter/lease-desk.ts";
import type { SqlValue } from "#core/meter/ledger-storage.ts";
import { type LedgerOutput, LimitLedger } from "#core/meter/limit-ledger.ts";
import type { LimitRule } from "#core/meter/limit-rule.ts";
import type { LimitUsage, LimitViewer } from "#core/meter/limit-state.ts";
import type { TeamStanding } from "#core/meter/team-standing.ts";
import { EPOCH_OF_DELETED_TEAM } from "#core/teams/team-epoch.ts";
import {
  MESSAGE_BYTES,
  messageText,
  packBatches,
  type PackedMessage,
  splitBatch,
  type StoredBatch,
} from "#core/usage/pack-batches.ts";
import type { UsageBatch, UsageRecord } from "#core/usage/usage-record.ts";
import { teams } from "#schema";
import { openDatabase } from "../database.ts";
import { consoleLogger } from "../logger.ts";
import { databaseSettings, meterSettings, readSettings } from "../settings.ts";

/** What the Meter's home Worker gives it. */
export interface MeterBindings {
  USAGE_QUEUE: Queue<string>;
}

const settingsShape = z.object({ ...databaseSettings, ...meterSettings });

/** How long records wait for others to share a message with, in milliseconds. */
const GATHER_MS = 500;
/** The wait before a batch is sent again doubles each time, up to this. */
const LONGEST_RESEND_MS = 60 * 60 * 1000;
/** When the queue or Postgres fails, it is asked again after this. */
const FAILURE_MS = 5_000;
/** After this time an announced change is looked up, should its maker have died before it told how it ended. */
const FIRST_CHECK_MS = 2_000;
/** No announced change can still be committed after this; the transaction is long gone. */
const LAST_CHECK_MS = 60_000;
/** Messages that one alarm sends, so that it stays short and holds about 2 MB at once. */
const MESSAGES_PER_ALARM = 20;

/**
 * One per team, named by its id: it mirrors the team's epoch, and is the outbox of its usage records until Postgres
 * has confirmed them. What it has taken survives the death of every process; see docs/storage.md for its tables.
 */
export class Meter extends DurableObject<MeterBindings> {
  private readonly sql = this.ctx.storage.sql;
  private readonly ledger: LimitLedger;
  private inUse: { text: string; rules: LimitRule[] } | null = null;

  constructor(state: DurableObjectState, env: MeterBindings) {
    super(state, env);
    this.sql.exec(
      `CREATE TABLE IF NOT EXISTS epoch (only INTEGER PRIMARY KEY CHECK (only = 1), team_id TEXT NOT NULL, value INTEGER NOT NULL, check_at INTEGER, change_expected_at INTEGER)`,
    );
    this.sql.exec(
      `CREATE TABLE IF NOT EXISTS outbox (batch_id TEXT PRIMARY KEY, team_id TEXT NOT NULL, records TEXT NOT NULL, stored_at INTEGER NOT NULL, send_at INTEGER NOT NULL, sends INTEGER NOT NULL DEFAULT 0)`,
    );
    this.sql.exec(`CREATE INDEX IF NOT EXISTS outbox_due ON outbox (send_at)`);
    this.sql.exec(
      `CREATE TABLE IF NOT EXISTS limit_rules (only INTEGER PRIMARY KEY CHECK (only = 1), epoch INTEGER NOT NULL, rules TEXT NOT NULL)`,
    );
    this.sql.exec(
      `CREATE TABLE IF NOT EXISTS guard_rails (only INTEGER PRIMARY KEY CHECK (only = 1), digest TEXT)`,
    );
    this.sql.exec(`CREATE TABLE IF NOT EXISTS skills_off (name TEXT PRIMARY KEY)`);
    const { sql } = this;
    this.ledger = new LimitLedger(
      {
        all<Row = Record<string, SqlValue>>(statement: string, ...values: SqlValue[]): Row[] {
          return sql.exec(statement, ...values).toArray() as Row[]; // the ledger names the shape of its own rows
        },
        transaction: (work) => state.storage.transactionSync(work),
      },
      () => newId("lease"),
    );
  }

  /** The team's epoch, and what holds under it: Postgres is asked once in the object's life, and when the epoch has grown. */
  async standing(teamId: string): Promise<TeamStanding> {
    const epoch = await this.epoch(teamId);
    const limits = await this.rules(teamId, epoch);
    const [row] = this.sql
      .exec<{ digest: string | null }>("SELECT digest FROM guard_rails")
      .toArray();
    const off = this.sql.exec<{ name: string }>("SELECT name FROM skills_off").toArray();
    return {
      epoch,
      limits,
      guardRails: row?.digest ?? null,
      skillsOff: off.map(({ name }) => name),
    };
  }

  /** Grants what fits into all limits of the asker, or says which one stands in the way. */
  async lease(teamId: string, wants: Want[]): Promise<Grant[]> {
    await this.rules(teamId, await this.epoch(teamId));
    const done = this.ledger.sync({ isolateId: "", firstEntry: 1, entries: [], wants }, Date.now());
    this.pass(teamId, done);
    await this.wakeForNext(0);
    return done.grants;
  }

  /** Limits with what is used of them. */
  async usageOfLimits(teamId: string, viewer: LimitViewer): Promise<LimitUsage[]> {
    await this.rules(teamId, await this.epoch(teamId));
    return this.ledger.usage(viewer, Date.now());
  }

  /** The team's epoch. Read from Postgres once in the object's life, then kept here. */
  async epoch(teamId: string): Promise<number> {
    const [row] = this.sql.exec<{ value: number }>("SELECT value FROM epoch").toArray();
    return row ? row.value : this.lookUpEpoch(teamId);
  }

  /**
   * Says that a change of the team is about to be written; see EpochAnnouncer. From here on the epoch is looked up
   * now and then for a minute, whoever else reports a change meanwhile: two may be under way at once, and the maker
   * of either may die before it tells.
   */
  async expectChange(teamId: string): Promise<void> {
    await this.epoch(teamId);
    const now = Date.now();
    this.sql.exec(
      "UPDATE epoch SET change_expected_at = ?, check_at = ?",
      now,
      now + FIRST_CHECK_MS,
    );
    await this.wakeBy(now + FIRST_CHECK_MS);
  }

  /** Takes a later epoch; an earlier one changes nothing. */
  async raiseEpoch(teamId: string, value: number): Promise<void> {
    this.sql.exec(
      `INSERT INTO epoch (only, team_id, value) VALUES (1, ?, ?)
       ON CONFLICT (only) DO UPDATE SET value = max(value, excluded.value)`,
      teamId,
      value,
    );
  }

  /**
   * Takes usage records for good, and what became of the isolate's leases. A batch that is already here, by its id, or
   * an entry, by its number, changes nothing.
   * @returns the number of the log's last entry
   */
  async report(teamId: string, batches: UsageBatch[], log: LeaseLog | null): Promise<number> {
    await this.rules(teamId, await this.epoch(teamId));
    const sendAt = Date.now() + GATHER_MS;
    const alarm = await this.ctx.storage.getAlarm();
    // Nothing is awaited between these writes, so the records and the alarm that sends them are committed together.
    for (const part of batches.flatMap((batch) => splitBatch(teamId, batch))) {
      this.sql.exec(
        "INSERT OR IGNORE INTO outbox (batch_id, team_id, records, stored_at, send_at) VALUES (?, ?, ?, ?, ?)",
        part.id,
        teamId,
        part.records,
        sendAt - GATHER_MS,
        sendAt,
      );
    }
    const told = log ? this.ledger.sync({ ...log, wants: [] }, Date.now()) : null;
    if (told) this.pass(teamId, told);
    if (alarm === null || alarm > sendAt) await this.ctx.storage.setAlarm(sendAt);
    return told?.applied ?? 0;
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

  /** Does what is due. Neither half may hold up the other, and no failure may end the alarms. */
  override async alarm(): Promise<void> {
    const work = [this.checkExpectedChange(), this.chargeLeases().then(() => this.sendOutbox())];
    const failures = (await Promise.allSettled(work)).filter((end) => end.status === "rejected");
    for (const { reason } of failures) this.log.error("meter_alarm_failed", { error: reason });
    await this.wakeForNext(failures.length > 0 ? FAILURE_MS : 0);
  }

  /** Charges what nobody has reported. */
  private async chargeLeases(): Promise<void> {
    const [row] = this.sql
      .exec<{ team_id: string; rules: string }>("SELECT team_id, rules FROM epoch, limit_rules")
      .toArray();
    if (!row) return; // no rules, no leases
    this.useRules(row.rules);
    this.pass(row.team_id, this.ledger.sweep(Date.now()));
  }

  /**
   * Passes on what the ledger has found. A charge, or its taking back, travels as a usage record; its lease and number
   * make a second one recognisable. Soft limits warn the operator.
   */
  private pass(
    teamId: string,
    { corrections, warnings }: Pick<LedgerOutput, "corrections" | "warnings">,
  ): void {
    const now = Date.now();
    for (const { percent, state } of warnings) {
      const { ruleId, keyId, unit, window, model, max, used } = state;
      this.log.warn("soft_limit_reached", {
        team_id: teamId,
        limit_id: ruleId,
        key_id: keyId ?? undefined,
        unit,
        window,
        model: model ?? undefined,
        percent,
        used,
        max,
      });
    }
    for (const correction of corrections) {
      const batch = `${correction.lease}.${correction.number}`;
      this.sql.exec(
        "INSERT OR IGNORE INTO outbox (batch_id, team_id, records, stored_at, send_at) VALUES (?, ?, ?, ?, ?)",
        batch,
        teamId,
        JSON.stringify([recordOfCorrection(correction)]),
        now,
        now,
      );
    }
  }

  /** The rules that hold under this epoch. With Postgres out of reach the last ones stay. */
  private async rules(teamId: string, epoch: number): Promise<LimitRule[]> {
    const [row] = this.sql
      .exec<{ epoch: number; rules: string }>("SELECT epoch, rules FROM limit_rules")
      .toArray();
    if (row && row.epoch >= epoch) return this.useRules(row.rules);
    try {
      const database = openDatabase(readSettings(settingsShape, this.env));
      const [loaded, digest, skillsOff] = await Promise.all([
        loadLimitRules(database, teamId),
        loadGuardRailsDigest(database, teamId),
        loadSkillsOff(database, teamId),
      ]);
      const rules = JSON.stringify(loaded);
      this.sql.exec("INSERT OR REPLACE INTO guard_rails (only, digest) VALUES (1, ?)", digest);
      this.sql.exec("DELETE FROM skills_off");
      for (const name of skillsOff)
        this.sql.exec("INSERT OR IGNORE INTO skills_off (name) VALUES (?)", name);
      this.sql.exec(
        "INSERT OR REPLACE INTO limit_rules (only, epoch, rules) VALUES (1, ?, ?)",
        epoch,
        rules,
      );
      return this.useRules(rules);
    } catch (error) {
      if (!row) throw error;
      this.log.error("limits_not_loaded", { team_id: teamId, error });
      return this.useRules(row.rules);
    }
  }

  private useRules(rules: string): LimitRule[] {
    if (this.inUse?.text !== rules) {
      this.inUse = { text: rules, rules: JSON.parse(rules) as LimitRule[] }; // as they were stored
      this.ledger.setRules(this.inUse.rules);
    }
    return this.inUse.rules;
  }

  private async sendOutbox(): Promise<void> {
    const { USAGE_RESEND_SECONDS } = readSettings(settingsShape, this.env);
    for (const packed of packBatches(this.dueBatches()).slice(0, MESSAGES_PER_ALARM)) {
      const sent = await this.send(packed);
      const now = Date.now();
      for (const { id } of packed.batches) {
        if (sent) this.scheduleResend(id, now, Math.round(USAGE_RESEND_SECONDS * 1000));
        else
          this.sql.exec("UPDATE outbox SET send_at = ? WHERE batch_id = ?", now + FAILURE_MS, id);
      }
    }
  }

  /** A batch that was confirmed meanwhile is gone, and nothing is scheduled. */
  private scheduleResend(id: string, now: number, firstWaitMs: number): void {
    this.sql.exec(
      `UPDATE outbox SET sends = sends + 1, send_at = ? + min(?, ? * (1 << min(sends, 20)))
       WHERE batch_id = ?`,
      now,
      LONGEST_RESEND_MS,
      firstWaitMs,
      id,
    );
  }

  /** As many due batches as one alarm can send; the outbox may hold far more than memory does. */
  private dueBatches(): StoredBatch[] {
    const due: StoredBatch[] = [];
    let bytes = 0;
    const rows = this.sql.exec<StoredBatch>(
      `SELECT batch_id AS id, team_id AS teamId, records FROM outbox
       WHERE send_at <= ? ORDER BY send_at`,
      Date.now() + GATHER_MS,
    );
    for (const row of rows) {
      due.push(row);
      bytes += row.records.length;
      if (bytes >= MESSAGES_PER_ALARM * MESSAGE_BYTES) break;
    }
    return due;
  }

  /** @returns whether the queue has it; a message that the queue does not take must not hold up the others */
  private async send(packed: PackedMessage): Promise<boolean> {
    const { teamId, batches } = packed;
    try {
      await this.env.USAGE_QUEUE.send(messageText(packed), { contentType: "text" });
      this.logSent(packed);
      return true;
    } catch (error) {
      this.log.error("usage_not_sent", { team_id: teamId, batches: batches.length, error });
      return false;
    }
  }

  /** For who follows single requests through the pipeline; reading the records is too dear for every day. */
  private logSent({ teamId, batches }: PackedMessage): void {
    if (readSettings(settingsShape, this.env).LOG_LEVEL !== "debug") return;
    const records = batches.flatMap((batch) => JSON.parse(batch.records) as UsageRecord[]); // as report stored them
    this.log.debug("usage_sent", { team_id: teamId, request_ids: records.map(({ id }) => id) });
  }

  /** Looks the epoch up at growing distances until the last announced change must be over. */
  private async checkExpectedChange(): Promise<void> {
    const [row] = this.sql
      .exec<{ team_id: string; check_at: number | null; change_expected_at: number }>(
        "SELECT team_id, check_at, change_expected_at FROM epoch",
      )
      .toArray();
    const now = Date.now();
    if (!row || row.check_at === null || row.check_at > now) return;
    this.sql.exec("UPDATE epoch SET check_at = ?", now + FAILURE_MS); // should the lookup fail
    await this.lookUpEpoch(row.team_id);
    const waited = now - row.change_expected_at;
    const next = waited >= LAST_CHECK_MS ? null : now + Math.min(waited, LAST_CHECK_MS - waited);
    // A change that was announced during the lookup has set its own time.
    this.sql.exec(
      "UPDATE epoch SET check_at = ? WHERE change_expected_at = ?",
      next,
      row.change_expected_at,
    );
  }

  private async lookUpEpoch(teamId: string): Promise<number> {
    const db = openDatabase(readSettings(settingsShape, this.env));
    const [team] = await db.select({ epoch: teams.epoch }).from(teams).where(eq(teams.id, teamId));
    await this.raiseEpoch(teamId, team?.epoch ?? EPOCH_OF_DELETED_TEAM);
    return this.sql.exec<{ value: number }>("SELECT value FROM epoch").one().value;
  }

  private get log(): Logger {
    return consoleLogger(readSettings(settingsShape, this.env).LOG_LEVEL, "api");
  }

  private async wakeBy(time: number): Promise<void> {
    const alarm = await this.ctx.storage.getAlarm();
    if (alarm === null || alarm > time) await this.ctx.storage.setAlarm(time);
  }

  /** Sets the alarm for whatever comes next, but not before `pauseMs` are over. */
  private async wakeForNext(pauseMs: number): Promise<void> {
    const { outbox, check } = this.sql
      .exec<{ outbox: number | null; check: number | null }>(
        `SELECT (SELECT min(send_at) FROM outbox) AS outbox, (SELECT check_at FROM epoch) AS "check"`,
      )
      .one();
    const times = [outbox, check, this.ledger.nextDue()].filter((time) => time !== null);
    if (times.length > 0) await this.wakeBy(Math.max(Math.min(...times), Date.now() + pauseMs));
  }
}
