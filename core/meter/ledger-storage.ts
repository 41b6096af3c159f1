import type { LimitUnit } from "./limit-rule.ts";
import type { Amounts, Combination } from "./lease.ts";

export type SqlValue = string | number | null;

/** The Meter's SQLite; tests give the ledger another one. */
export interface LedgerSql {
  /** The caller names the shape of the rows that its own statement returns. */
  all<Row = Record<string, SqlValue>>(statement: string, ...values: SqlValue[]): Row[];
  /** Everything inside is written together, or nothing is. */
  transaction<T>(work: () => T): T;
}

/** What is used of one limit by one subject in one window. */
export interface Bucket {
  ruleId: string;
  /** The end user that is counted by itself, or ''. */
  subject: string;
  start: number;
  end: number | null;
  unit: LimitUnit;
  used: number;
  /** Leased to isolates, or set aside for running requests. */
  reserved: number;
}

export type BucketName = Pick<Bucket, "ruleId" | "subject" | "start" | "end" | "unit">;

export interface Lease {
  id: string;
  combination: Combination;
  buckets: BucketName[];
  /** What is neither settled nor given back. Each bucket's `reserved` is the sum of this over its leases. */
  left: Amounts;
  state: "open" | "draining" | "charged";
  /** Requests that still run, once the lease is draining. */
  running: number;
  grantedAt: number;
  endsAt: number;
  /** What was charged for it, while nobody reported. */
  charged: Amounts | null;
  corrections: number;
  /** When it is charged, or, once charged, forgotten. */
  dueAt: number;
}

const LONGEST_WINDOW_MS = 31 * 24 * 60 * 60 * 1000;

const TABLES = [
  `CREATE TABLE IF NOT EXISTS buckets (
    rule_id TEXT NOT NULL, subject TEXT NOT NULL, start INTEGER NOT NULL, "end" INTEGER, unit TEXT NOT NULL,
    used INTEGER NOT NULL, reserved INTEGER NOT NULL, PRIMARY KEY (rule_id, subject, start)) WITHOUT ROWID`,
  `CREATE INDEX IF NOT EXISTS buckets_end ON buckets ("end") WHERE "end" IS NOT NULL`,
  `CREATE TABLE IF NOT EXISTS leases (
    id TEXT PRIMARY KEY, state TEXT NOT NULL, ends_at INTEGER NOT NULL, due_at INTEGER NOT NULL, lease TEXT NOT NULL)`,
  `CREATE INDEX IF NOT EXISTS leases_due ON leases (due_at)`,
  `CREATE INDEX IF NOT EXISTS leases_open ON leases (ends_at) WHERE state = 'open'`,
  `CREATE TABLE IF NOT EXISTS warnings (
    rule_id TEXT NOT NULL, subject TEXT NOT NULL, start INTEGER NOT NULL, percent INTEGER NOT NULL,
    PRIMARY KEY (rule_id, subject, start, percent)) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS isolates (id TEXT PRIMARY KEY, applied INTEGER NOT NULL, seen_at INTEGER NOT NULL)`,
];

/** Rows of the ledger, read once and written once within a call, however many requests it settles. */
export class LedgerStorage {
  private readonly sql: LedgerSql;
  private readonly buckets = new Map<string, Bucket>();
  private readonly leases = new Map<string, Lease | null>();

  constructor(sql: LedgerSql) {
    this.sql = sql;
    for (const table of TABLES) sql.all(table);
  }

  /** Runs the work in one transaction, and writes what it changed. */
  write<T>(work: () => T): T {
    try {
      return this.sql.transaction(() => {
        const result = work();
        this.flush();
        return result;
      });
    } finally {
      this.buckets.clear();
      this.leases.clear();
    }
  }

  bucket(name: BucketName): Bucket {
    const key = JSON.stringify([name.ruleId, name.subject, name.start]);
    let bucket = this.buckets.get(key);
    if (!bucket) {
      const [row] = this.sql.all<{ used: number; reserved: number }>(
        "SELECT used, reserved FROM buckets WHERE rule_id = ? AND subject = ? AND start = ?",
        name.ruleId,
        name.subject,
        name.start,
      );
      const { ruleId, subject, start, end, unit } = name;
      bucket = { ruleId, subject, start, end, unit, used: 0, reserved: 0, ...row };
      this.buckets.set(key, bucket);
    }
    return bucket;
  }

  /** A bucket to look at, outside of any write. */
  look(name: BucketName): Bucket {
    try {
      return this.bucket(name);
    } finally {
      this.buckets.clear();
    }
  }

  lease(id: string): Lease | null {
    const held = this.leases.get(id);
    if (held !== undefined) return held;
    const [row] = this.sql.all<{ lease: string }>("SELECT lease FROM leases WHERE id = ?", id);
    const lease = row ? (JSON.parse(row.lease) as Lease) : null; // as flush wrote it
    this.leases.set(id, lease);
    return lease;
  }

  putLease(lease: Lease): void {
    this.leases.set(lease.id, lease);
  }

  deleteLease(id: string): void {
    this.leases.set(id, null);
  }

  leasesDue(now: number): Lease[] {
    const rows = this.sql.all<{ id: string }>(
      "SELECT id FROM leases WHERE due_at <= ? ORDER BY due_at",
      now,
    );
    return rows.flatMap(({ id }) => this.lease(id) ?? []);
  }

  /** Leases that may end soon and free something, the first to end first. */
  openLeases(limit: number): Lease[] {
    this.flush();
    const rows = this.sql.all<{ id: string }>(
      "SELECT id FROM leases WHERE state = 'open' ORDER BY ends_at LIMIT ?",
      limit,
    );
    return rows.flatMap(({ id }) => this.lease(id) ?? []);
  }

  nextDue(): number | null {
    const [row] = this.sql.all<{ due: number | null }>("SELECT min(due_at) AS due FROM leases");
    return row?.due ?? null;
  }

  applied(isolateId: string): number {
    const sql = "SELECT applied FROM isolates WHERE id = ?";
    return this.sql.all<{ applied: number }>(sql, isolateId)[0]?.applied ?? 0;
  }

  setApplied(isolateId: string, applied: number, now: number): void {
    this.sql.all(
      "INSERT INTO isolates (id, applied, seen_at) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET applied = excluded.applied, seen_at = excluded.seen_at",
      isolateId,
      applied,
      now,
    );
  }

  /**
   * Forgets windows that ended, and isolates that were last heard of, before these times, and whatever belongs to
   * rules that are none any more.
   */
  prune(endedBefore: number, seenBefore: number, ruleIds: readonly string[]): void {
    const rules = JSON.stringify(ruleIds);
    this.sql.all(
      `DELETE FROM buckets WHERE reserved = 0 AND ("end" < ? OR rule_id NOT IN (SELECT value FROM json_each(?)))`,
      endedBefore,
      rules,
    );
    this.sql.all(
      `DELETE FROM warnings WHERE start > 0 AND start < ? OR rule_id NOT IN (SELECT value FROM json_each(?))`,
      endedBefore - LONGEST_WINDOW_MS,
      rules,
    );
    this.sql.all("DELETE FROM isolates WHERE seen_at < ?", seenBefore);
  }

  /** The buckets that this write has touched. */
  touched(): Bucket[] {
    return [...this.buckets.values()];
  }

  /** Notes that a limit has been warned of. @returns whether that was for the first time in this window */
  noteWarning({ ruleId, subject }: BucketName, start: number, percent: number): boolean {
    const noted = this.sql.all(
      "INSERT OR IGNORE INTO warnings (rule_id, subject, start, percent) VALUES (?, ?, ?, ?) RETURNING percent",
      ruleId,
      subject,
      start,
      percent,
    );
    return noted.length > 0;
  }

  /** The buckets of a rule in a window, the fullest first. */
  bucketsOf(ruleId: string, start: number, limit: number): Bucket[] {
    return this.sql.all<Bucket>(
      `SELECT rule_id AS ruleId, subject, start, "end", unit, used, reserved FROM buckets
       WHERE rule_id = ? AND start = ? ORDER BY used + reserved DESC, subject LIMIT ?`,
      ruleId,
      start,
      limit,
    );
  }

  private flush(): void {
    for (const bucket of this.buckets.values()) {
      this.sql.all(
        `INSERT INTO buckets (rule_id, subject, start, "end", unit, used, reserved) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (rule_id, subject, start) DO UPDATE SET used = excluded.used, reserved = excluded.reserved`,
        bucket.ruleId,
        bucket.subject,
        bucket.start,
        bucket.end,
        bucket.unit,
        bucket.used,
        bucket.reserved,
      );
    }
    for (const [id, lease] of this.leases) {
      if (lease === null) this.sql.all("DELETE FROM leases WHERE id = ?", id);
      else {
        this.sql.all(
          "INSERT OR REPLACE INTO leases (id, state, ends_at, due_at, lease) VALUES (?, ?, ?, ?, ?)",
          id,
          lease.state,
          lease.endsAt,
          lease.dueAt,
          JSON.stringify(lease),
        );
      }
    }
  }
}
