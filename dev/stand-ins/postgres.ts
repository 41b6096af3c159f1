import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { endWithParent } from "../end-with-parent.ts";
import { type Account, postgresAccount } from "./postgres/account.ts";
import { postgresBinaries } from "./postgres/binaries.ts";
import { type DataFolder, prepareDataFolder } from "./postgres/data-folder.ts";
import { endLeftoverServer, OWNER_SETTING } from "./postgres/leftover.ts";
import { StartError } from "../start-error.ts";

export interface PostgresOptions {
  /** Where the data lives. Made and filled on the first run. */
  dataDir: string;
  /** The port on 127.0.0.1; a free one without it. */
  port?: number;
  /**
   * True (the default) survives a power cut. False doesn't write through to the disk, which makes tests several
   * times faster; it still survives kill -9.
   */
  durable?: boolean;
  /** Takes each line that the server writes. */
  log?: (line: string) => void;
}

export interface RunningPostgres {
  /** `postgres://postgres:…@127.0.0.1:…/switchyard`; the user is the server's superuser. */
  url: string;
  port: number;
  pid: number;
  /** Settles when the server is gone, with the last lines that it wrote. */
  ended: Promise<string>;
  /** Ends the server, its connections too. Safe to call twice. */
  stop(): Promise<void>;
}

const DATABASE = "switchyard";
const START_ATTEMPTS = 20;
const STOP_GRACE_MS = 10_000;

const NOT_DURABLE = [
  "fsync=off",
  "synchronous_commit=off",
  "full_page_writes=off",
  "wal_level=minimal",
  "max_wal_senders=0",
];

/**
 * Starts a real Postgres from the binaries that npm installed, and makes the database `switchyard` in it. A server
 * that an earlier process left behind in the same folder is ended first. The server ends with this process, however
 * this process ends.
 */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const account = postgresAccount();
  const binaries = postgresBinaries(account);
  await endLeftoverServer(path.resolve(options.dataDir));
  const folder = prepareDataFolder(options.dataDir, binaries, account);
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await freePort());
    const server = launch({ options, folder, binaries, account, port });
    const failure = await server.ready;
    if (failure === undefined) return await finish(server, folder, port);
    if (attempt === START_ATTEMPTS || !(await isWorthAnotherTry(failure, options.port))) {
      throw new StartError(startFailure(failure, folder, port));
    }
  }
}

/** Between finding a free port and using it another process may take it; killed servers take a moment to vanish. */
async function isWorthAnotherTry(
  failure: string,
  wantedPort: number | undefined,
): Promise<boolean> {
  if (/address already in use/i.test(failure)) return wantedPort === undefined;
  if (
    !/shared memory block .* still in use|the database system is (starting|shutting)/i.test(failure)
  )
    return false;
  await delay(250);
  return true;
}

function startFailure(failure: string, folder: DataFolder, port: number): string {
  if (/address already in use/i.test(failure))
    return `Port ${port} for Postgres is taken by another program.`;
  if (/database files are incompatible/i.test(failure)) {
    return (
      `The data in ${folder.path} was written by another version of Postgres. ` +
      "Use --reset to begin anew (this deletes the data), or keep the folder and set SWITCHYARD_DATA to another."
    );
  }
  return `Postgres did not start. Its last words:\n${failure}`;
}

interface Launch {
  options: PostgresOptions;
  folder: DataFolder;
  binaries: string;
  account: Account | undefined;
  port: number;
}

interface Launched {
  child: ChildProcess;
  pid: number;
  /** Undefined once it takes connections, or what it wrote before it gave up. */
  ready: Promise<string | undefined>;
  ended: Promise<string>;
}

function settings({ options, port }: Launch): string[] {
  const pairs = [
    `port=${port}`,
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=200",
    "shared_buffers=64MB",
    "io_method=sync", // fewer processes
    "timezone=UTC",
    "log_timezone=UTC",
    "lc_messages=C", // the line that says it is ready must be in English
    `${OWNER_SETTING}=${process.pid}`,
    ...(options.durable === false ? NOT_DURABLE : []),
  ];
  return pairs.flatMap((pair) => ["-c", pair]);
}

function launch(start: Launch): Launched {
  const { folder, binaries, account, options } = start;
  const ids = account && { uid: account.uid, gid: account.gid };
  const child = spawn(
    path.join(binaries, "bin", "postgres"),
    ["-D", folder.argument, ...settings(start)],
    {
      ...ids,
      cwd: folder.path,
      stdio: ["ignore", "ignore", "pipe"],
      detached: true, // Ctrl-C in the terminal is for us; we end the server after those who use it
    },
  );
  const lines: string[] = [];
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", () => resolve(lines.join("\n")));
  });
  const ready = new Promise<undefined>((resolve) => {
    createInterface({ input: child.stderr }).on("line", (line) => {
      lines.push(line);
      if (lines.length > 40) lines.shift();
      options.log?.(line);
      if (line.includes("ready to accept connections")) resolve(undefined);
    });
  });
  const pid = child.pid ?? 0;
  if (pid > 0) {
    const callOff = endWithParent({ pid, signal: "INT" });
    void ended.then(callOff);
  }
  return { child, pid, ready: Promise.race([ready, ended]), ended };
}

async function finish(
  server: Launched,
  folder: DataFolder,
  port: number,
): Promise<RunningPostgres> {
  const { pid, ended } = server;
  const urlOf = (database: string): string =>
    `postgres://postgres:${encodeURIComponent(folder.password)}@127.0.0.1:${port}/${database}`;
  const stop = (): Promise<void> => stopServer(server);
  try {
    await createDatabase(urlOf("postgres"));
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: urlOf(DATABASE), port, pid, ended, stop };
}

async function createDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, ssl: false });
  await client.connect();
  try {
    const { rowCount } = await client.query("select 1 from pg_database where datname = $1", [
      DATABASE,
    ]);
    if (rowCount === 0) await client.query(`create database ${DATABASE}`);
  } finally {
    await client.end();
  }
}

async function stopServer({ child, ended }: Launched): Promise<void> {
  // INT: "fast shutdown", which ends connections and writes everything; QUIT ends at once and recovers later.
  for (const signal of ["SIGINT", "SIGQUIT", "SIGKILL"] as const) {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    const timeout = new AbortController();
    const late = delay(STOP_GRACE_MS, "late", { signal: timeout.signal }).catch(() => "cancelled");
    const outcome = await Promise.race([ended.then(() => "ended"), late]);
    timeout.abort();
    if (outcome === "ended") return;
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", resolve);
  });
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === "string") throw new Error("The system gave no port.");
  return address.port;
}
