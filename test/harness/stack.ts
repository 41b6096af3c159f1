import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { convertV4MiniflareOptions, Miniflare, type MiniflareOptions } from "miniflare";
import pg from "pg";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { createRedis, type RedisBackend } from "#dev/stand-ins/redis.ts";
import { startUpstashRest } from "#dev/stand-ins/upstash-rest.ts";
import type { JobEvent } from "#core/jobs/job-feed.ts";
import { ApiClient } from "./api-client.ts";
import { createDatabase, type PostgresServer } from "./postgres.ts";
import { childProcessesOf, LogLines } from "./processes.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const WORKERS = {
  api: { script: "switchyard-api", config: "wrangler.toml" },
  bot: { script: "switchyard-bot", config: "workers/bot/wrangler.toml" },
  cron: { script: "switchyard-cron", config: "workers/cron/wrangler.toml" },
} as const;
export type WorkerName = keyof typeof WORKERS;

export interface StackOptions {
  postgres: PostgresServer;
  /** Which Workers run; all by default. The bot needs the api Worker, cron needs both. */
  workers?: WorkerName[];
  /** Settings for every Worker, over the harness's own. */
  vars?: Record<string, string>;
  /** Where the bundles are; by default where `npm run build` puts them. */
  bundles?: string;
  /** Gives the api Worker the binding of Workers AI, and says where its requests go. */
  ai?: URL;
}

/** The built Workers on the real runtime, with a database, a cache and storage of their own. */
export interface Stack {
  /** Base URLs, without a slash at the end. */
  urls: Record<WorkerName, string>;
  databaseUrl: string;
  /** Where the runtime keeps what the Durable Objects have stored. */
  storageFolder: string;
  /** The cache from the side. */
  redis: RedisBackend;
  /** `host:port` where the cache is, to put something in between by `restart`. */
  cacheAddress: string;
  /** Postgres from the side, to look at what the Workers wrote. */
  sql<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  /** A further api Worker in a runtime process of its own, on the first one's Durable Objects. */
  startSecondApi(): Promise<SecondApi>;
  /** A client with the super admin key. */
  admin: ApiClient;
  client(apiKey: string | null): ApiClient;
  /** A new team with a key of it. */
  createTeam(options?: {
    name?: string;
    scopes?: string[];
  }): Promise<{ teamId: string; keyId: string; key: string; client: ApiClient }>;
  /** Fires the cron Worker's trigger for a minute. */
  tick(time?: Date): Promise<void>;
  /** Puts a file where the Workers have theirs. */
  putFile(key: string, body: Uint8Array | string, contentType: string): Promise<void>;
  /** Keys of the files there that begin with this, in order; at most 1,000. */
  fileKeys(prefix: string): Promise<string[]>;
  /** Tells a team's feed what happens to its jobs, as whoever works them does. */
  tellJobs(teamId: string, events: readonly JobEvent[]): Promise<void>;
  /** Hands messages to the cron Worker's consumer, as a queue would; says which it would bring again. */
  consume(queue: string, bodies: unknown[]): Promise<{ retried: string[]; outcome: string }>;
  /** All that the Workers logged, a line each. */
  logs: LogLines;
  /** Kills workerd as kill -9 does; nothing that it had only in memory is left. */
  kill(): Promise<void>;
  /** The same, and it stays dead until `restart`. */
  halt(): Promise<void>;
  /** Stops workerd where it is: it takes connections, and answers nothing until `thaw`. */
  freeze(): void;
  thaw(): void;
  /** Starts the Workers again on the storage that is there, after `kill` or instead of it. Ports change. */
  restart(vars?: Record<string, string>): Promise<void>;
  stop(): Promise<void>;
}

/** An api Worker in a process of its own, beside a stack's. */
export interface SecondApi {
  client(apiKey: string | null): ApiClient;
  /** Kills its process as kill -9 does. */
  kill(): void;
  /** Stops its process where it is, until `thaw`. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

export const SUPER_ADMIN_KEY = "test-super-admin-key-0123456789";
export const WEBHOOK_SECRET = "test-webhook-secret";

/** Starts the Workers as they were built by `npm run build`. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const database = await createDatabase(options.postgres);
  const folder = await mkdtemp(path.join(tmpdir(), "switchyard-stack-"));
  const redis = createRedis();
  const upstash = await startUpstashRest({ backend: redis, token: "test-token" });
  const pool = new pg.Pool({ connectionString: database.url, max: 4 });
  pool.on("error", () => undefined); // the database goes while the last connections are closing
  const logs = new LogLines();
  const names = options.workers ?? (Object.keys(WORKERS) as WorkerName[]); // Object.keys forgets the literal type
  let vars: Record<string, string> = {
    DATABASE_URL: database.url,
    NEON_LOCAL_PROXY: options.postgres.neonProxy,
    UPSTASH_REDIS_REST_URL: upstash.url,
    UPSTASH_REDIS_REST_TOKEN: "test-token",
    SUPER_ADMIN_API_KEYS: SUPER_ADMIN_KEY,
    MASTER_KEY: Buffer.alloc(32, 7).toString("base64"),
    ALLOW_PRIVATE_UPSTREAMS: "1",
    NHTSA_URL: "off", // no test reaches the world outside
    TELEGRAM_BOT_TOKEN: "123456:test-token",
    TELEGRAM_WEBHOOK_SECRET: WEBHOOK_SECRET,
    ...options.vars,
  };
  const urls: Record<WorkerName, string> = { api: "", bot: "", cron: "" };
  let miniflare: Miniflare | null = null;
  let workerd: number[] = [];
  let apis = 1;

  const start = async () => {
    const before = await childProcessesOf(process.pid);
    const { ai, bundles } = options;
    miniflare = new Miniflare(
      miniflareOptions({ names, vars, folder, logs, bundles, ...(ai ? { ai } : {}) }),
    );
    await miniflare.ready;
    workerd = (await childProcessesOf(process.pid)).filter((pid) => !before.includes(pid));
    for (const name of names) {
      urls[name] = (await miniflare.unsafeGetDirectURL(WORKERS[name].script)).origin;
    }
  };
  const running = () => {
    if (!miniflare) throw new Error("The stack is not running");
    return miniflare;
  };
  await start();
  const client = (apiKey: string | null) => new ApiClient(() => urls.api, apiKey);
  const admin = client(SUPER_ADMIN_KEY);

  return {
    urls,
    databaseUrl: database.url,
    storageFolder: path.join(folder, "storage"),
    redis,
    cacheAddress: new URL(upstash.url).host,
    logs,
    admin,
    client,
    async startSecondApi() {
      const before = await childProcessesOf(process.pid);
      const suffix = `-${++apis}`;
      const second = new Miniflare(
        miniflareOptions({ names: ["api"], vars, folder, logs, suffix, bundles: options.bundles }),
      );
      await second.ready;
      const { origin } = await second.unsafeGetDirectURL(`${WORKERS.api.script}${suffix}`);
      const own = (await childProcessesOf(process.pid)).filter((pid) => !before.includes(pid));
      const signal = (name: NodeJS.Signals) => own.forEach((pid) => process.kill(pid, name));
      return {
        client: (apiKey) => new ApiClient(() => origin, apiKey),
        kill: () => signal("SIGKILL"),
        freeze: () => signal("SIGSTOP"),
        thaw: () => signal("SIGCONT"),
        stop: () => second.dispose().catch(() => undefined), // it may be dead already
      };
    },
    sql: async <Row extends pg.QueryResultRow>(text: string, values?: unknown[]) =>
      (await pool.query<Row>(text, values)).rows,
    async createTeam({ name = "Test team", scopes = ["admin"] } = {}) {
      const team = await admin.expect<{ id: string }>(201, "POST", "/v1/teams", { name });
      const key = await admin.expect<{ id: string; key: string }>(201, "POST", "/v1/keys", {
        name: "test",
        team_id: team.id,
        scopes,
      });
      return { teamId: team.id, keyId: key.id, key: key.key, client: client(key.key) };
    },
    async tick(time = new Date()) {
      const worker = await running().getWorker(WORKERS.cron.script);
      await worker.scheduled({ cron: "* * * * *", scheduledTime: time });
    },
    async putFile(key, body, contentType) {
      const bucket = await running().getR2Bucket("FILES", WORKERS.api.script);
      await bucket.put(key, body, { httpMetadata: { contentType } });
    },
    async fileKeys(prefix) {
      const bucket = await running().getR2Bucket("FILES", WORKERS.api.script);
      const { objects } = await bucket.list({ prefix });
      return objects.map(({ key }) => key);
    },
    async tellJobs(teamId, events) {
      const feeds = await running().getDurableObjectNamespace("JOB_FEED", WORKERS.api.script);
      const feed: unknown = feeds.get(feeds.idFromName(teamId)); // miniflare does not know its class
      await (feed as { publish(events: readonly JobEvent[]): Promise<void> }).publish(events);
    },
    async consume(queue, bodies) {
      const worker = await running().getWorker(WORKERS.cron.script);
      const messages = bodies.map((body, index) => ({
        id: `message-${index}`,
        timestamp: new Date(),
        attempts: 1,
        body,
      }));
      const result = await worker.queue(queue, messages as Parameters<typeof worker.queue>[1]); // any body may come
      const retried = result.retryBatch.retry
        ? messages.map((message) => message.id)
        : result.retryMessages.map((message) => message.msgId);
      return { retried, outcome: result.outcome };
    },
    async kill() {
      for (const pid of workerd) process.kill(pid, "SIGKILL");
    },
    async halt() {
      for (const pid of workerd) process.kill(pid, "SIGKILL");
      await running().dispose(); // which would start it again otherwise
    },
    freeze() {
      for (const pid of workerd) process.kill(pid, "SIGSTOP");
    },
    thaw() {
      for (const pid of workerd) process.kill(pid, "SIGCONT");
    },
    async restart(more = {}) {
      vars = { ...vars, ...more };
      await running()
        .dispose()
        .catch(() => undefined); // it may be dead already
      await start();
    },
    async stop() {
      await running()
        .dispose()
        .catch(() => undefined); // it may be dead already
      await pool.end();
      await upstash.stop();
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface RuntimeOptions {
  names: readonly WorkerName[];
  vars: Record<string, string>;
  /** Where Durable Objects and queues keep their data, and runtimes of one stack find each other. */
  folder: string;
  logs: LogLines;
  bundles: string | undefined;
  /** A second runtime of the same stack: its Workers have this behind their names, and use the first one's objects. */
  suffix?: string;
  ai?: URL;
}

function miniflareOptions(options: RuntimeOptions): MiniflareOptions {
  const { names, vars, folder, logs, suffix = "", ai } = options;
  const bundles = options.bundles ?? path.join(ROOT, "dist");
  const workers = names.map((name) => {
    const { script, config } = WORKERS[name];
    const { workerOptions } = unstable_getMiniflareWorkerOptions(path.join(ROOT, config));
    return {
      ...workerOptions,
      ...(suffix === "" ? {} : { durableObjects: elsewhere(workerOptions.durableObjects, script) }),
      ...(ai && name === "api" ? { ai: { binding: "AI", remoteProxyConnectionString: ai } } : {}),
      name: script + suffix,
      modules: [
        {
          type: "ESModule" as const,
          path: "index.js",
          contents: readFileSync(path.join(bundles, name, "index.js"), "utf8"),
        },
        ...fontsOf(name),
      ],
      bindings: { ...(workerOptions.bindings as object), ...vars },
      unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    };
  });
  return convertV4MiniflareOptions({
    workers,
    host: "127.0.0.1",
    port: 0,
    resourcePersistencePath: path.join(folder, `storage${suffix}`),
    unsafeDevRegistryPath: path.join(folder, "registry"),
    handleStructuredLogs: (line: { level: string; message: string }) => logs.add(line.message),
  } as Parameters<typeof convertV4MiniflareOptions>[0]); // wrangler and miniflare describe the same options by two types
}

/** Files that a bundle brings along as they are. */
function fontsOf(name: WorkerName) {
  const folder = path.join(ROOT, "dist", name);
  return readdirSync(folder)
    .filter((file) => file.endsWith(".ttf"))
    .map((file) => ({
      type: "Data" as const,
      path: file,
      contents: readFileSync(path.join(folder, file)),
    }));
}

/** A Worker's own Durable Objects, as those of the Worker of this name in another process. */
function elsewhere(objects: unknown, script: string): Record<string, unknown> {
  const own = Object.entries(objects as Record<string, { className: string }>); // as wrangler made it from the configuration
  return Object.fromEntries(
    own.map(([binding, { className }]) => [binding, { className, scriptName: script }]),
  );
}
