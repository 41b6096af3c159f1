import { DatabaseSync } from "node:sqlite";
import type { LeaseSource } from "#core/meter/asking.ts";
import { LeaseDesk } from "#core/meter/lease-desk.ts";
import { type Amounts, NO_AMOUNTS } from "#core/meter/lease.ts";
import { LimitLedger } from "#core/meter/limit-ledger.ts";
import type { LimitRule } from "#core/meter/limit-rule.ts";
import type { UsageRecord } from "#core/usage/usage-record.ts";
import type { LedgerSql, SqlValue } from "#core/meter/ledger-storage.ts";

/**
 * How fast limits are decided, and what they take up: `node scripts/meter-speed.ts`. The ledger runs on SQLite in
 * this process, without the runtime's calls between isolates and objects and without a disk.
 */

const START = Date.UTC(2026, 10, 21, 12);
const SECONDS = 2;
const need: Amounts = { requests: 1, tokens: 1_000, micros: 2_000, slots: 1 };
const everybody = { keyId: null, model: null, endUser: null };

function rule(id: string, more: Partial<LimitRule>): LimitRule {
  const usual = { keyId: null, prepaid: false, model: null, endUser: null, soft: false } as const;
  const requests = { unit: "requests", window: "day", max: 1e12, onError: "open" } as const;
  return { id, ...usual, ...requests, raise: null, refill: null, ...more };
}

const RULES = [
  rule("lim_01kajyb2m4d6f8h0j1k3n5p7q9", { window: "minute" }),
  rule("lim_01kajyb2m4d6f8h0j1k3n5p7q8", { unit: "tokens", max: 1e15 }),
  rule("lim_01kajyb2m4d6f8h0j1k3n5p7q7", { unit: "usd", window: "month", max: 9e14 }),
];

function openSql(): { sql: LedgerSql; database: DatabaseSync } {
  const database = new DatabaseSync(":memory:");
  const statements = new Map<string, ReturnType<DatabaseSync["prepare"]>>();
  const sql: LedgerSql = {
    all<Row>(text: string, ...values: SqlValue[]): Row[] {
      let statement = statements.get(text);
      if (!statement) statements.set(text, (statement = database.prepare(text)));
      return statement.all(...values) as Row[]; // named by the caller
    },
    transaction(work) {
      database.exec("BEGIN");
      try {
        const result = work();
        database.exec("COMMIT");
        return result;
      } catch (error) {
        database.exec("ROLLBACK");
        throw error;
      }
    },
  };
  return { sql, database };
}

/** Repeats the work for some seconds. @returns how often a second, in units of `each` */
function rate(work: (round: number) => void, each = 1): number {
  for (let round = 0; round < 50; round++) work(round);
  const startedAt = performance.now();
  let rounds = 0;
  while (performance.now() - startedAt < SECONDS * 1_000) work(50 + rounds++);
  return Math.round((rounds * each) / ((performance.now() - startedAt) / 1_000));
}

function makeLedger(rules: LimitRule[]) {
  const { sql, database } = openSql();
  let leases = 0;
  const ledger = new LimitLedger(
    sql,
    () => `lease_01kajyb2m4d6f8h0j1k${String(++leases).padStart(7, "0")}`,
  );
  ledger.setRules(rules);
  return { ledger, database };
}

/** Leases granted, and then settled and closed, by calls of so many. */
function leaseRate(perCall: number): number {
  const { ledger } = makeLedger(RULES);
  const want = { combination: everybody, need, target: need };
  const wants = Array.from({ length: perCall }, () => want);
  return rate((round) => {
    const call = { isolateId: `iso_${round}`, firstEntry: 1 };
    const { grants } = ledger.sync({ ...call, entries: [], wants }, START);
    const entries = grants.flatMap((grant) =>
      grant.kind !== "lease"
        ? []
        : [
            { kind: "settle" as const, lease: grant.id, reserved: need, actual: need },
            {
              kind: "close" as const,
              lease: grant.id,
              keep: NO_AMOUNTS,
              running: 0,
              deadlineMs: 0,
            },
          ],
    );
    ledger.sync({ ...call, entries, wants: [] }, START);
  }, perCall);
}

/** Requests that an isolate admits and settles while it holds a lease. */
async function warmRate(): Promise<number> {
  const desk = new LeaseDesk();
  const huge = { requests: 1e12, tokens: 1e15, micros: 1e15, slots: 1e12 };
  const source: LeaseSource = {
    lease: async () => [{ kind: "lease", id: "lease_1", amounts: huge, lifeMs: 1e9, states: [] }],
    granted: () => undefined,
    background: () => undefined,
    wait: async () => undefined,
    refuse: () => new Error("refused"),
    unreachable: () => new Error("unreachable"),
    now: () => START,
  };
  const worst = () => ({ tokens: 1_000, micros: 2_000, outputCap: 100 });
  const asking = {
    teamId: "team",
    rules: RULES,
    ...everybody,
    model: "m",
    worst,
    deadlineAt: START + 60_000,
  };
  await desk.admit({ ...asking, requestId: "first" }, source);
  const record = { inputTokens: 400, outputTokens: 100, costMicros: 900 };
  return rate((round) => {
    const requestId = `req_${round}`;
    void desk.admit({ ...asking, requestId }, source);
    desk.settle("team", { ...record, id: requestId } as UsageRecord); // the desk reads no more of it
    if (round % 1_000 !== 0) return;
    const log = desk.log("team", START);
    if (log) desk.acknowledged("team", log, log.firstEntry + log.entries.length - 1);
  });
}

/** What a bucket takes up in the Meter's SQLite, with its indexes: one for each end user of a limit. */
function bytesOfBucket(): number {
  const { ledger, database } = makeLedger([
    rule("lim_01kajyb2m4d6f8h0j1k3n5p7q9", { window: "month", endUser: "*" }),
  ]);
  const size = () => {
    const [pages] = database
      .prepare("SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size")
      .all();
    return Number(pages?.["bytes"]);
  };
  const before = size();
  const users = 20_000;
  for (let user = 0; user < users; user += 100) {
    const wants = Array.from({ length: 100 }, (_, index) => ({
      combination: { ...everybody, endUser: `user-${1_000_000 + user + index}` },
      need,
      target: need,
    }));
    ledger.sync({ isolateId: "iso_1", firstEntry: 1, entries: [], wants }, START);
  }
  ledger.sweep(START + 3_600_000); // charged …
  ledger.sweep(START + 30 * 3_600_000); // … and forgotten
  database.exec("VACUUM");
  return Math.round((size() - before) / users);
}

const lines = [
  ["leases granted, settled and closed, one a call", `${leaseRate(1)}/s`],
  ["the same, a hundred a call", `${leaseRate(100)}/s`],
  ["requests admitted and settled by an isolate that holds a lease", `${await warmRate()}/s`],
  [
    "a limit, as the Meter keeps it and isolates get it",
    `${Math.round(JSON.stringify(RULES).length / RULES.length)} bytes`,
  ],
  ["what is used by one end user of one limit", `${bytesOfBucket()} bytes`],
];
for (const [what, figure] of lines) console.log(`${what}: ${figure}`);
