import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { Client, neon, neonConfig, Pool } from "@neondatabase/serverless";
import { sql as raw } from "drizzle-orm";
import { drizzle as drizzleHttp } from "drizzle-orm/neon-http";
import { drizzle as drizzleSessions } from "drizzle-orm/neon-serverless";
import { integer, jsonb, numeric, pgTable, serial, text, timestamp } from "drizzle-orm/pg-core";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import WebSocket from "ws";
import { type RunningNeonProxy, startNeonProxy } from "./neon-proxy.ts";
import { type RunningPostgres, startPostgres } from "./postgres.ts";

let folder: string;
let postgres: RunningPostgres;
let proxy: RunningNeonProxy;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "switchyard-neon-proxy-"));
  postgres = await startPostgres({ dataDir: path.join(folder, "postgres"), durable: false });
  proxy = await startNeonProxy({ target: { host: "127.0.0.1", port: postgres.port } });
  neonConfig.fetchEndpoint = () => `http://${proxy.address}/sql`;
  neonConfig.wsProxy = () => `${proxy.address}/v2`;
  neonConfig.useSecureWebSocket = false;
  neonConfig.webSocketConstructor = WebSocket;
}, 60_000);

afterAll(async () => {
  await proxy?.stop();
  await postgres?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Waits until a condition holds, by asking rather than by guessing a time. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error("It did not come true within 10 s.");
  }
}

async function directly(query: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  try {
    const result = await client.query<Record<string, unknown>>(query, values);
    return result.rows;
  } finally {
    await client.end();
  }
}

function withPassword(password: string): string {
  const address = new URL(postgres.url);
  address.password = password;
  return address.href;
}

const ALL_TYPES = raw`
  select 12345678901234567890.123456789::numeric as exact, 'NaN'::numeric as not_a_number,
    9223372036854775807::bigint as big, 2.5::float8 as float, true as yes, null::text as nothing,
    '2026-11-21T10:00:00.123456Z'::timestamptz as moment, '{"a": [1, null, "é"]}'::jsonb as document,
    array['x', null, 'with "quotes", commas and \\\\']::text[] as list, '{{1,2},{3,4}}'::int[] as matrix,
    '\\x00ff10'::bytea as bytes, 'گفتگو 🚆' as words, '550e8400-e29b-41d4-a716-446655440000'::uuid as id`;

describe("one query over HTTP", () => {
  it("brings every type of value across as pg itself reads it", async () => {
    const viaHttp = (await drizzleHttp(neon(postgres.url)).execute(ALL_TYPES)).rows;
    const pool = new Pool({ connectionString: postgres.url });
    const viaSocket = (await drizzleSessions(pool).execute(ALL_TYPES)).rows;
    await pool.end();
    expect(viaSocket).toEqual(viaHttp);
    const http = neon(postgres.url);
    const [row] =
      await http.query(`select '\\x00ff10'::bytea as bytes, array['a,b', null]::text[] as list,
      1.50::numeric as money, '{"a":1}'::jsonb as document`);
    expect(row).toEqual({
      bytes: Buffer.from([0, 255, 16]),
      list: ["a,b", null],
      money: "1.50",
      document: { a: 1 },
    });
  });

  it("takes parameters of every type, and leaves hostile ones as plain values", async () => {
    const http = neon(postgres.url);
    const hostile = `'); drop table users; -- \\ " $1 \u{1F600}`;
    const bytes = Buffer.from([0, 1, 254, 255]);
    const moment = new Date("2026-01-02T03:04:05.678Z");
    const [row] =
      await http`select ${hostile}::text as words, ${bytes}::bytea as bytes, (${moment}::timestamptz = '2026-01-02T03:04:05.678Z') as same_moment,
      ${{ deep: ["ü"] }}::jsonb as document, ${["a", 'b"c']}::text[] as list, ${null}::int as nothing,
      ${Number.NaN}::float8 as not_a_number, ${"12.340"}::numeric as money`;
    expect(row).toEqual({
      words: hostile,
      bytes,
      same_moment: true,
      document: { deep: ["ü"] },
      list: ["a", 'b"c'],
      nothing: null,
      not_a_number: Number.NaN,
      money: "12.340",
    });
  });

  it("answers in rows that are arrays, and with the full result, when asked", async () => {
    const http = neon(postgres.url, { arrayMode: true, fullResults: true });
    const result = await http`select 1 as one, 'b' as one`;
    expect(result.rows).toEqual([[1, "b"]]);
    expect(result).toMatchObject({ command: "SELECT", rowCount: 1 });
    expect(result.fields.map((field) => field.dataTypeID)).toEqual([23, 25]);
  });

  it.each([
    ["42601", "selec 1"],
    ["42P01", "select * from nowhere"],
    ["22012", "select 1/0"],
    ["22P02", "select 'x'::int"],
    ["42601", "select 1; select 2"],
  ])("says SQLSTATE %s for %s", async (code, query) => {
    await expect(neon(postgres.url).query(query)).rejects.toMatchObject({
      code,
      name: "NeonDbError",
    });
  });

  it("names the constraint, table and detail of a violation", async () => {
    const http = neon(postgres.url);
    await http`create table if not exists unique_things (id int primary key)`;
    await http`insert into unique_things values (1) on conflict do nothing`;
    await expect(http`insert into unique_things values (1)`).rejects.toMatchObject({
      code: "23505",
      constraint: "unique_things_pkey",
      table: "unique_things",
      detail: "Key (id)=(1) already exists.",
    });
  });

  it("refuses a wrong password and an unknown database as Postgres does", async () => {
    await expect(neon(withPassword("wrong"))`select 1`).rejects.toMatchObject({ code: "28P01" });
    const elsewhere = postgres.url.replace(/\/switchyard$/, "/missing");
    await expect(neon(elsewhere)`select 1`).rejects.toMatchObject({ code: "3D000" });
  });

  it("leaves no transaction open for the next one when a query opens one", async () => {
    const http = neon(postgres.url);
    await http`begin`;
    await http`create table if not exists kept (id int)`;
    expect(await directly("select to_regclass('kept') is not null as kept")).toEqual([
      { kept: true },
    ]);
  });

  it("carries two hundred queries at once", async () => {
    const http = neon(postgres.url);
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => http`select ${index}::int as n`),
    );
    expect(answers.map(([row]) => row?.["n"])).toEqual(
      Array.from({ length: 200 }, (_, index) => index),
    );
  });

  it("carries an answer of ten megabytes, and refuses a request above 64 MB", async () => {
    const http = neon(postgres.url);
    const [row] = await http`select repeat('x', 10000000) as long`;
    expect(row?.["long"]).toHaveLength(10_000_000);
    const tooLong = "x".repeat(65 * 1024 * 1024);
    await expect(http`select length(${tooLong})`).rejects.toThrow(/413.*request is too large/);
    expect(await http`select 1 as alive`).toEqual([{ alive: 1 }]);
  });

  it("stops the query when the client gives up on it", async () => {
    const controller = new AbortController();
    const http = neon(postgres.url, { fetchOptions: { signal: controller.signal } });
    const running =
      "select 1 from pg_stat_activity where query = 'select pg_sleep(61)' and state = 'active'";
    const abandoned = http`select pg_sleep(61)`.then(
      () => "answered",
      () => "abandoned",
    );
    await until(async () => (await directly(running)).length === 1);
    controller.abort();
    expect(await abandoned).toBe("abandoned");
    await until(async () => (await directly(running)).length === 0);
  });

  it.each([
    ["no header", {}, "{}", 400],
    ["an address that is none", { "neon-connection-string": "nonsense" }, "{}", 400],
    ["a body that is not JSON", undefined, "{", 400],
    ["a body without a query", undefined, '{"query": 1}', 400],
    ["parameters that are no array", undefined, '{"query": "select 1", "params": {}}', 400],
    ["a body that is null", undefined, "null", 400],
  ])("answers %s with a sentence, not a crash", async (_, headers, body, status) => {
    const response = await fetch(`http://${proxy.address}/sql`, {
      method: "POST",
      headers: headers ?? { "neon-connection-string": postgres.url },
      body,
    });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ message: expect.stringMatching(/\w+ \w+/) });
  });
});

describe("a batch over HTTP", () => {
  beforeEach(() =>
    directly("drop table if exists ledger; create table ledger (id int primary key, note text)"),
  );

  it("commits all of its queries together", async () => {
    const http = neon(postgres.url);
    const [, rows] = await http.transaction([
      http`insert into ledger values (1, 'a')`,
      http`select count(*)::int as n from ledger`,
    ]);
    expect(rows).toEqual([{ n: 1 }]);
    expect(await directly("select id from ledger")).toEqual([{ id: 1 }]);
  });

  it("undoes all of them when one fails, and says which SQLSTATE", async () => {
    const http = neon(postgres.url);
    const batch = http.transaction([
      http`insert into ledger values (1)`,
      http`insert into ledger values (1)`,
    ]);
    await expect(batch).rejects.toMatchObject({ code: "23505" });
    expect(await directly("select id from ledger")).toEqual([]);
  });

  it.each([
    ["Serializable", "serializable"],
    ["RepeatableRead", "repeatable read"],
    ["ReadCommitted", "read committed"],
  ] as const)("runs at the level %s", async (isolationLevel, name) => {
    const http = neon(postgres.url);
    const [rows] = await http.transaction([http`show transaction_isolation`], { isolationLevel });
    expect(rows).toEqual([{ transaction_isolation: name }]);
  });

  it("refuses to write when it is read only", async () => {
    const http = neon(postgres.url);
    const batch = http.transaction([http`insert into ledger values (1)`], { readOnly: true });
    await expect(batch).rejects.toMatchObject({ code: "25006" });
  });

  it("reports a deferred constraint that fails at commit", async () => {
    await directly(
      "alter table ledger add constraint later unique (note) deferrable initially deferred",
    );
    const http = neon(postgres.url);
    const batch = http.transaction([http`insert into ledger values (1, 'x'), (2, 'x')`]);
    await expect(batch).rejects.toMatchObject({ code: "23505", constraint: "later" });
    expect(await directly("select id from ledger")).toEqual([]);
  });

  it("works as Drizzle's batch", async () => {
    const ledger = pgTable("ledger", { id: integer("id").primaryKey(), note: text("note") });
    const database = drizzleHttp(neon(postgres.url));
    const [, found] = await database.batch([
      database.insert(ledger).values({ id: 7, note: "seven" }),
      database.select().from(ledger),
    ]);
    expect(found).toEqual([{ id: 7, note: "seven" }]);
  });
});

describe("sessions over a WebSocket", () => {
  const things = pgTable("things", {
    id: serial("id").primaryKey(),
    price: numeric("price"),
    details: jsonb("details"),
    madeAt: timestamp("made_at", { withTimezone: true }),
    count: integer("count").notNull(),
  });
  let pool: Pool;

  beforeEach(async () => {
    await directly(`drop table if exists things; create table things
      (id serial primary key, price numeric, details jsonb, made_at timestamptz, count int not null)`);
    pool = new Pool({ connectionString: postgres.url, max: 10 });
    return () => pool.end();
  });

  it("commits and rolls back transactions of Drizzle", async () => {
    const database = drizzleSessions(pool);
    const madeAt = new Date("2026-11-21T00:00:00Z");
    await database.transaction((tx) =>
      tx.insert(things).values({ price: "0.000001", details: { a: [1] }, madeAt, count: 1 }),
    );
    const failing = database.transaction(async (tx) => {
      await tx.insert(things).values({ count: 2 });
      throw new Error("changed my mind");
    });
    await expect(failing).rejects.toThrow("changed my mind");
    expect(await database.select().from(things)).toEqual([
      { id: 1, price: "0.000001", details: { a: [1] }, madeAt, count: 1 },
    ]);
  });

  it("keeps two transactions apart, and fails one of two that can't be put in order", async () => {
    await directly("insert into things (count) values (1), (2)");
    const [one, two] = [await pool.connect(), await pool.connect()];
    for (const client of [one, two]) {
      await client.query("begin isolation level serializable");
      await client.query("select sum(count) from things");
    }
    await one.query("insert into things (count) values (10)");
    await two.query("insert into things (count) values (20)");
    await one.query("commit");
    await expect(two.query("commit")).rejects.toMatchObject({ code: "40001" });
    one.release();
    two.release();
  });

  it("hands each waiting row to one worker only with SKIP LOCKED", async () => {
    await directly("insert into things (count) select generate_series(1, 40)");
    const take = async (): Promise<number[]> => {
      const client = await pool.connect();
      const taken: number[] = [];
      for (;;) {
        await client.query("begin");
        const { rows } = await client.query<{ id: number }>(
          "select id from things where price is null order by id limit 1 for update skip locked",
        );
        const [row] = rows;
        if (row) await client.query("update things set price = 1 where id = $1", [row.id]);
        await client.query("commit");
        if (!row) break;
        taken.push(row.id);
      }
      client.release();
      return taken;
    };
    const taken = (await Promise.all([take(), take(), take(), take()])).flat();
    expect(taken.toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 40 }, (_, index) => index + 1),
    );
  });

  it("holds an advisory lock for as long as its session lives, and no longer", async () => {
    const holder = new Client({ connectionString: postgres.url });
    await holder.connect();
    await holder.query("select pg_advisory_lock(99)");
    expect(await directly("select pg_try_advisory_lock(99) as mine")).toEqual([{ mine: false }]);
    await holder.end();
    await until(
      async () => (await directly("select pg_try_advisory_lock(99) as mine"))[0]?.["mine"] === true,
    );
  });

  it("leaves no session behind when the socket breaks in the middle of a transaction", async () => {
    const opened: WebSocket[] = [];
    neonConfig.webSocketConstructor = class extends WebSocket {
      constructor(address: string) {
        super(address);
        opened.push(this);
      }
    };
    const client = new Client({ connectionString: postgres.url });
    client.on("error", () => undefined);
    await client.connect();
    neonConfig.webSocketConstructor = WebSocket;
    await client.query("begin");
    await client.query("insert into things (count) values (1)");
    opened[0]?.terminate();
    const open = "select 1 from pg_stat_activity where state like 'idle in transaction%'";
    await until(async () => (await directly(open)).length === 0);
    expect(await directly("select id from things")).toEqual([]);
  });

  it("refuses a wrong password with SQLSTATE 28P01, also when the first query was sent along", async () => {
    for (const pipelineConnect of ["password", false] as const) {
      const client = new Client({ connectionString: withPassword("wrong") });
      client.neonConfig.pipelineConnect = pipelineConnect;
      client.on("error", () => undefined);
      const attempt = client.connect().then(() => client.query("select 1"));
      await expect(attempt).rejects.toMatchObject({ code: "28P01" });
    }
  });

  it("passes on what a client sets at login", async () => {
    const client = new Client({
      connectionString: postgres.url,
      application_name: "a name with spaces",
      statement_timeout: 1234,
    });
    await client.connect();
    expect((await client.query("show application_name")).rows).toEqual([
      { application_name: "a name with spaces" },
    ]);
    expect((await client.query("show statement_timeout")).rows).toEqual([
      { statement_timeout: "1234ms" },
    ]);
    await client.end();
  });

  it("carries a large answer whole to a reader that is slow", async () => {
    const client = await pool.connect();
    const { rows } = await client.query<{ length: number }>("select repeat('x', 30000000) as long");
    expect(rows[0]).toMatchObject({ long: expect.stringMatching(/^x+$/) });
    client.release();
  });

  it("survives a client that speaks nonsense", async () => {
    for (const nonsense of [
      Buffer.from("GET / HTTP/1.1\r\n\r\n"),
      Buffer.alloc(8),
      Buffer.from([0, 0, 0, 8, 9, 9, 9, 9]),
    ]) {
      const socket = new WebSocket(`ws://${proxy.address}/v2`);
      await new Promise((resolve) => socket.once("open", resolve));
      const closed = new Promise((resolve) => socket.once("close", resolve));
      socket.send(nonsense);
      await closed;
    }
    expect((await pool.query("select 1 as alive")).rows).toEqual([{ alive: 1 }]);
  });
});

describe("a Postgres that wants SCRAM", () => {
  it("is reached through the proxy, though the driver only sends its password in clear text", async () => {
    await directly("alter system set password_encryption = 'scram-sha-256'");
    await directly("create role scram_user login password 'p@ss word'");
    const { readFile, writeFile } = await import("node:fs/promises");
    const rules = path.join(folder, "postgres", "pg_hba.conf");
    const before = await readFile(rules, "utf8");
    await writeFile(rules, `host all scram_user 127.0.0.1/32 scram-sha-256\n${before}`);
    await directly("select pg_reload_conf()");
    const address = new URL(postgres.url);
    address.username = "scram_user";
    address.password = "p@ss word";
    const pool = new Pool({ connectionString: address.href });
    expect((await pool.query("select current_user as me")).rows).toEqual([{ me: "scram_user" }]);
    expect(await neon(address.href)`select current_user as me`).toEqual([{ me: "scram_user" }]);
    await pool.end();
  });
});

describe("the proxy itself", () => {
  it("says that the port is taken rather than hang", async () => {
    const port = Number(proxy.address.split(":")[1]);
    await expect(
      startNeonProxy({ port, target: { host: "127.0.0.1", port: 1 } }),
    ).rejects.toMatchObject({
      code: "EADDRINUSE",
    });
  });

  it("answers 500 with a sentence when Postgres is away", async () => {
    const lonely = await startNeonProxy({ target: { host: "127.0.0.1", port: 1 } });
    const response = await fetch(`http://${lonely.address}/sql`, {
      method: "POST",
      headers: { "neon-connection-string": postgres.url },
      body: '{"query": "select 1"}',
    });
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({
      message: expect.stringContaining("ECONNREFUSED"),
    });
    await lonely.stop();
  });

  it("stops with sessions open, and stays stopped", async () => {
    const other = await startNeonProxy({ target: { host: "127.0.0.1", port: postgres.port } });
    const socket = new WebSocket(`ws://${other.address}/v2`);
    await new Promise((resolve) => socket.once("open", resolve));
    const closed = new Promise((resolve) => socket.once("close", resolve));
    await other.stop();
    await closed;
    const port = Number(other.address.split(":")[1]);
    const probe = connect({ port, host: "127.0.0.1" });
    const error = await new Promise<NodeJS.ErrnoException>((resolve) =>
      probe.once("error", resolve),
    );
    expect(error.code).toBe("ECONNREFUSED");
  });
});
