import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { beforeEach, describe, expect, it } from "vitest";
import { type RunningPostgres, startPostgres } from "./postgres.ts";

const isRoot = process.getuid?.() === 0;
const MODULE = fileURLToPath(new URL("postgres.ts", import.meta.url));

let folder: string;
let running: RunningPostgres[];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "switchyard-postgres-test-"));
  running = [];
  return async () => {
    for (const one of running) await one.stop();
    await rm(folder, { recursive: true, force: true });
  };
});

async function start(name = "postgres", durable = false): Promise<RunningPostgres> {
  const started = await startPostgres({ dataDir: path.join(folder, name), durable });
  running.push(started);
  return started;
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function untilGone(pid: number): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (isAlive(pid)) {
    if (Date.now() > deadline) throw new Error(`Process ${pid} is still there.`);
    await delay(20);
  }
}

/** Starts a server in a process of its own, which can then be killed. */
async function startInAnotherProcess(
  dataDir: string,
): Promise<{ owner: number; pid: number; url: string }> {
  const script = `import { startPostgres } from ${JSON.stringify(MODULE)};
    const server = await startPostgres({ dataDir: ${JSON.stringify(dataDir)} });
    console.log(JSON.stringify({ pid: server.pid, url: server.url }));
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "--eval", script], {
    cwd: path.dirname(MODULE),
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const { pid, url } = JSON.parse(line) as { pid: number; url: string }; // printed by the script above
    return { owner: child.pid ?? 0, pid, url };
  }
  throw new Error("The other process ended early.");
}

describe("a start", () => {
  it("makes the database on the first run and finds its data on the second", async () => {
    const first = await start();
    expect(
      await query(first.url, "select current_database() as name, current_user as who"),
    ).toEqual([{ name: "switchyard", who: "postgres" }]);
    await query(first.url, "create table kept as select 'é' as word");
    await first.stop();
    await first.stop(); // twice does no harm
    expect(isAlive(first.pid)).toBe(false);
    const second = await start();
    expect(await query(second.url, "select upper(word) as word from kept")).toEqual([
      { word: "É" },
    ]);
  });

  it("is set up like Neon: UTC, UTF-8, room for 200 connections, durable unless told otherwise", async () => {
    const settings = `select name, setting from pg_settings where name in
      ('TimeZone', 'server_encoding', 'max_connections', 'fsync', 'synchronous_commit', 'full_page_writes') order by 1`;
    const lasting = await start("lasting", true);
    const fast = await start("fast");
    const valuesOf = async (server: RunningPostgres): Promise<unknown> =>
      Object.fromEntries(
        (await query(server.url, settings)).map((row) => [row["name"], row["setting"]]),
      );
    const common = { TimeZone: "UTC", server_encoding: "UTF8", max_connections: "200" };
    expect(await valuesOf(lasting)).toEqual({
      ...common,
      fsync: "on",
      synchronous_commit: "on",
      full_page_writes: "on",
    });
    expect(await valuesOf(fast)).toEqual({
      ...common,
      fsync: "off",
      synchronous_commit: "off",
      full_page_writes: "off",
    });
  });

  it("lets nobody in without the password that it made", async () => {
    const { port } = await start();
    const guess = query(`postgres://postgres:password@127.0.0.1:${port}/switchyard`, "select 1");
    await expect(guess).rejects.toMatchObject({ code: "28P01" });
  });

  it("works for several servers that start at the same time", async () => {
    const servers = await Promise.all(["a", "b", "c"].map((name) => start(name)));
    expect(new Set(servers.map((server) => server.port)).size).toBe(3);
    for (const server of servers)
      expect(await query(server.url, "select 1 as one")).toEqual([{ one: 1 }]);
  });

  it.runIf(isRoot)("works in a folder that the account it drops to can't reach", async () => {
    await chmod(folder, 0o700);
    await mkdir(path.join(folder, "deep"), { mode: 0o700 });
    const first = await start("deep/postgres");
    await query(first.url, "create table kept as select 1 as one");
    await first.stop();
    const second = await start("deep/postgres");
    expect(await query(second.url, "select one from kept")).toEqual([{ one: 1 }]);
  });

  it("says which port is taken when one was asked for", async () => {
    const { port } = await start("first");
    const second = startPostgres({ dataDir: path.join(folder, "second"), port });
    await expect(second).rejects.toThrow(`Port ${port} for Postgres is taken by another program.`);
  });

  it("leaves a folder with other files alone, and says so", async () => {
    const dataDir = path.join(folder, "mine");
    await mkdir(dataDir);
    await writeFile(path.join(dataDir, "thesis.txt"), "ten years of work");
    await expect(startPostgres({ dataDir })).rejects.toThrow(/holds other files/);
    expect(await readFile(path.join(dataDir, "thesis.txt"), "utf8")).toBe("ten years of work");
  });

  it("begins anew where an earlier first run was interrupted", async () => {
    await mkdir(path.join(folder, "postgres.unfinished"));
    await writeFile(path.join(folder, "postgres.unfinished", "PG_VERSION"), "18");
    const server = await start();
    expect(await query(server.url, "select 1 as one")).toEqual([{ one: 1 }]);
    expect(existsSync(path.join(folder, "postgres.unfinished"))).toBe(false);
  });

  it("says what to do about data of another version", async () => {
    const server = await start();
    await server.stop();
    await writeFile(path.join(folder, "postgres", "PG_VERSION"), "12\n");
    await expect(start()).rejects.toThrow(/another version of Postgres.*--reset/);
  });
});

describe("what is left behind", () => {
  it("refuses to take the data of a start that still runs", async () => {
    const { pid } = await start();
    await expect(start()).rejects.toThrow(
      new RegExp(`in use: process ${process.pid} runs its Postgres`),
    );
    expect(isAlive(pid)).toBe(true);
  });

  it("ends with its owner, even when that is killed with kill -9", async () => {
    const { owner, pid } = await startInAnotherProcess(path.join(folder, "postgres"));
    process.kill(owner, "SIGKILL");
    await untilGone(pid);
  });

  it("comes back at once after kill -9 of the owner, with all that was committed", async () => {
    const dataDir = path.join(folder, "postgres");
    const { owner, url } = await startInAnotherProcess(dataDir);
    await query(url, "create table kept as select generate_series(1, 1000) as n");
    const open = new pg.Client({ connectionString: url });
    open.on("error", () => undefined);
    await open.connect();
    await open.query("begin; insert into kept values (1001)");
    process.kill(owner, "SIGKILL");
    const again = await startPostgres({ dataDir, durable: true });
    running.push(again);
    expect(await query(again.url, "select count(*)::int as n from kept")).toEqual([{ n: 1000 }]);
  });

  it("recovers after kill -9 of the server itself", async () => {
    const server = await start("postgres", true);
    await query(server.url, "create table kept as select 1 as one");
    process.kill(server.pid, "SIGKILL");
    await server.ended;
    const again = await start("postgres", true);
    expect(await query(again.url, "select one from kept")).toEqual([{ one: 1 }]);
  });

  it("is not mistaken for another process that got the same id", async () => {
    const server = await start();
    await server.stop();
    const dataDir = path.join(folder, "postgres");
    await writeFile(
      path.join(dataDir, "postmaster.pid"),
      `${process.ppid}\n${dataDir}\n0\n1\n\n127.0.0.1\n`,
    );
    const again = await start();
    expect(await query(again.url, "select 1 as one")).toEqual([{ one: 1 }]);
    expect(isAlive(process.ppid)).toBe(true);
  });
});
