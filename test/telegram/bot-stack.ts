import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { convertV4MiniflareOptions, Miniflare, type MiniflareOptions } from "miniflare";
import pg from "pg";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { createDatabase, type PostgresServer } from "#test/harness/postgres.ts";
import { childProcessesOf, LogLines } from "#test/harness/processes.ts";
import { type BotApi, type BotApiOptions, startBotApi } from "./bot-api-server.ts";
import { type ScriptedChat, startScriptedChat } from "./scripted-chat.ts";
import { deliverTo } from "./deliver-to.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const BOT = "switchyard-bot";
export const SECRET = "Secret_of-the-tests";

/** Stands for the api Worker: hands everything to the scripted chat. */
const API_WORKER = `
import { WorkerEntrypoint } from "cloudflare:workers";
export class InternalApi extends WorkerEntrypoint {
  fetch(request) {
    const url = new URL(request.url);
    return fetch(this.env.SCRIPTED_CHAT + url.pathname + url.search, request);
  }
}
export default { fetch: () => new Response("ok") };`;

/** Calls the bot as other Workers of ours do: the path is the method, the body its arguments. */
const CALLER = `
export default {
  async fetch(request, env) {
    const method = new URL(request.url).pathname.slice(1);
    return Response.json(await env.BOT[method](...(await request.json())));
  }
};`;

/** A chat object whose store has failed. */
const BROKEN_STORE = `
import { DurableObject } from "cloudflare:workers";
export class TelegramChat extends DurableObject {
  receive() { throw new Error("disk I/O error"); }
}
export default { fetch: () => new Response("ok") };`;

export interface BotStackOptions {
  postgres: PostgresServer;
  vars?: Record<string, string>;
  telegram?: BotApiOptions;
  /** Lets every write of a chat object fail. */
  brokenStore?: boolean;
}

/** The built bot Worker on the real runtime, with a Bot API server and a scripted model. */
export interface BotStack {
  telegram: BotApi;
  model: ScriptedChat;
  logs: LogLines;
  /** Base URL of the bot Worker. */
  url: string;
  sql<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  /** Calls a method of InternalBot by its binding. */
  call<Result>(method: "health" | "notify", ...values: unknown[]): Promise<Result>;
  /** Makes a team and links these chats to it. */
  link(...chatIds: number[]): Promise<string>;
  /** Posts an update as Telegram would, past its queues. */
  post(update: unknown, headers?: Record<string, string>): Promise<Response>;
  kill(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the bot as it was built by `npm run build`. */
export async function startBotStack(options: BotStackOptions): Promise<BotStack> {
  const database = await createDatabase(options.postgres);
  const folder = await mkdtemp(path.join(tmpdir(), "switchyard-bot-"));
  const [telegram, model] = await Promise.all([
    startBotApi({ backoffScale: 0.05, ...options.telegram }),
    startScriptedChat(),
  ]);
  const pool = new pg.Pool({ connectionString: database.url, max: 2 });
  pool.on("connect", (client) => client.on("error", () => undefined)); // the database is dropped while they close
  const logs = new LogLines();
  const vars = {
    DATABASE_URL: database.url,
    NEON_LOCAL_PROXY: options.postgres.neonProxy,
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_WEBHOOK_SECRET: SECRET,
    TELEGRAM_API_ROOT: telegram.url,
    ...options.vars,
  };
  let miniflare: Miniflare | null = null;
  let workerd: number[] = [];
  const stack = { url: "", caller: "" };

  const start = async () => {
    const before = await childProcessesOf(process.pid);
    miniflare = new Miniflare(
      miniflareOptions({
        vars,
        folder,
        logs,
        chatUrl: model.url,
        brokenStore: options.brokenStore === true,
      }),
    );
    await miniflare.ready;
    workerd = (await childProcessesOf(process.pid)).filter((pid) => !before.includes(pid));
    stack.url = (await miniflare.unsafeGetDirectURL(BOT)).origin;
    stack.caller = (await miniflare.unsafeGetDirectURL("caller")).origin;
    deliverTo(telegram, stack.url, SECRET);
  };
  const dispose = () => miniflare?.dispose().catch(() => undefined); // it may be dead already
  await start();

  return {
    telegram,
    model,
    logs,
    get url() {
      return stack.url;
    },
    sql: async <Row extends pg.QueryResultRow>(text: string, values?: unknown[]) =>
      (await pool.query<Row>(text, values)).rows,
    async call<Result>(method: string, ...values: unknown[]) {
      const body = JSON.stringify(values);
      const answer = await fetch(`${stack.caller}/${method}`, { method: "POST", body });
      return (await answer.json()) as Result; // the caller names what it goes on to check
    },
    async link(...chatIds) {
      const teamId = `team_${crypto.randomUUID()}`;
      await pool.query("INSERT INTO teams (id, name) VALUES ($1, 'Gardeners')", [teamId]);
      for (const chatId of chatIds)
        await pool.query("INSERT INTO telegram_links (chat_id, team_id) VALUES ($1, $2)", [
          chatId,
          teamId,
        ]);
      return teamId;
    },
    post: (update, headers = { "x-telegram-bot-api-secret-token": SECRET }) =>
      fetch(`${stack.url}/telegram/webhook`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: typeof update === "string" ? update : JSON.stringify(update),
      }),
    async kill() {
      for (const pid of workerd) process.kill(pid, "SIGKILL");
    },
    async restart() {
      await dispose();
      await start();
    },
    async stop() {
      await telegram.stop();
      await dispose();
      await model.stop();
      await pool.end();
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function miniflareOptions(parts: {
  vars: Record<string, string>;
  folder: string;
  logs: LogLines;
  chatUrl: string;
  brokenStore: boolean;
}): MiniflareOptions {
  const { workerOptions } = unstable_getMiniflareWorkerOptions(
    path.join(ROOT, "workers/bot/wrangler.toml"),
  );
  const compatibility = { compatibilityDate: workerOptions.compatibilityDate };
  const script = (name: string, contents: string, more: object = {}) => ({
    name,
    ...compatibility,
    modules: [{ type: "ESModule", path: "index.js", contents }],
    ...more,
  });
  const bot = {
    ...workerOptions,
    name: BOT,
    modules: [
      {
        type: "ESModule",
        path: "index.js",
        contents: readFileSync(path.join(ROOT, "dist/bot/index.js"), "utf8"),
      },
    ],
    bindings: parts.vars,
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    ...(parts.brokenStore
      ? {
          durableObjects: {
            TELEGRAM_CHAT: {
              className: "TelegramChat",
              scriptName: "broken-store",
              useSQLite: true,
            },
          },
        }
      : {}),
  };
  const others = [
    script("switchyard-api", API_WORKER, { bindings: { SCRIPTED_CHAT: parts.chatUrl } }),
    script("caller", CALLER, {
      serviceBindings: { BOT: { name: BOT, entrypoint: "InternalBot" } },
      unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    }),
  ];
  if (parts.brokenStore) {
    others.push(
      script("broken-store", BROKEN_STORE, {
        durableObjects: { OWN: { className: "TelegramChat", useSQLite: true } },
      }),
    );
  }
  return convertV4MiniflareOptions({
    workers: [bot, ...others],
    host: "127.0.0.1",
    port: 0,
    resourcePersistencePath: parts.folder,
    handleStructuredLogs: (line: { level: string; message: string }) =>
      parts.logs.add(line.message),
  } as Parameters<typeof convertV4MiniflareOptions>[0]); // wrangler and miniflare describe the same options by two types
}
