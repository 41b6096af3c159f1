import { randomBytes } from "node:crypto";
import { createServer } from "node:net";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { migrateDatabase } from "./migrate.ts";
import { card } from "./start/card.ts";
import { Cleanup } from "./start/cleanup.ts";
import { type LocalSecrets, localSecrets, openDataFolder } from "./start/data-folder.ts";
import { firstModel, firstTeamKey } from "./start/first-team.ts";
import { tickEachMinute, waitUntilReady } from "./start/front.ts";
import { type Services, startServices } from "./start/services.ts";
import { StartError } from "./start-error.ts";
import { readStartSettings, type StartSettings } from "./start/settings.ts";
import { WorkerLog } from "./start/worker-log.ts";
import { startWorkers } from "./start/workers.ts";
import { endLeftoverServer } from "./stand-ins/postgres/leftover.ts";
import { startTelegramPoller } from "./telegram-poller.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** A terminal's Ctrl-C may reach us twice: from the terminal and from who started us. */
const SAME_KEYPRESS_MS = 500;

const cleanup = new Cleanup();
const ending = new AbortController();
let endingSince = 0;

/** Ends everything that was started, then this process. */
async function end(code: number): Promise<never> {
  endingSince = Date.now();
  ending.abort();
  await cleanup.run();
  process.exit(code);
}

function watchForTheEnd(): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      if (endingSince === 0) {
        console.log("\nEnding …");
        void end(0);
      } else if (Date.now() - endingSince > SAME_KEYPRESS_MS) process.exit(130); // what is left ends with us
    });
  }
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent && endingSince === 0) void end(0);
  }, 500).unref();
}

/** Shows what is being done and how long it took. */
async function step<Result>(name: string, run: () => Promise<Result>): Promise<Result> {
  const started = performance.now();
  process.stdout.write(`  ${name} … `);
  try {
    const result = await run();
    console.log(`${((performance.now() - started) / 1000).toFixed(1)} s`);
    return result;
  } catch (error) {
    console.log("failed");
    throw error;
  }
}

async function checkPort(port: number): Promise<void> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once("error", (cause: NodeJS.ErrnoException) => {
      const reason =
        cause.code === "EADDRINUSE"
          ? "is taken by another program, maybe an earlier npm start"
          : `can't be used (${cause.code})`;
      reject(
        new StartError(
          `Port ${port} ${reason}. End that program, or choose another port: PORT=${port + 1} npm start`,
          { cause },
        ),
      );
    });
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve()));
  });
}

function workerVariables(
  settings: StartSettings,
  services: Services,
  secrets: LocalSecrets,
): Record<string, string> {
  return {
    ...Object.fromEntries(settings.values),
    ...services.variables,
    MASTER_KEY: secrets.masterKey,
    SUPER_ADMIN_API_KEYS: settings.values.get("SUPER_ADMIN_API_KEYS") ?? secrets.superAdminKey,
    TELEGRAM_WEBHOOK_SECRET: secrets.telegramWebhookSecret,
    JOB_IN_BACKGROUND: settings.values.get("JOB_IN_BACKGROUND") ?? "1",
    ALLOW_PRIVATE_UPSTREAMS: settings.values.get("ALLOW_PRIVATE_UPSTREAMS") ?? "1",
  };
}

/** Polls Telegram where there is a real token and nobody said that a webhook will be used. */
function pollTelegram(settings: StartSettings, secrets: LocalSecrets, url: string): boolean {
  const token = settings.values.get("TELEGRAM_BOT_TOKEN");
  if (token === undefined || settings.values.has("TELEGRAM_WEBHOOK")) return false;
  const apiRoot = settings.values.get("TELEGRAM_API_ROOT")?.replace(/\/+$/, "");
  const poller = startTelegramPoller({
    token,
    ...(apiRoot === undefined ? {} : { apiRoot }),
    webhookUrl: `${url}/telegram/webhook`,
    webhookSecret: secrets.telegramWebhookSecret,
    offsetFile: path.join(settings.dataDir, "telegram-offset.json"),
    say: (sentence) => console.error(sentence),
  });
  cleanup.add("the Telegram poller", () => poller.stop());
  return true;
}

async function start(): Promise<void> {
  const settings = readStartSettings({
    root: ROOT,
    environment: process.env,
    args: process.argv.slice(2),
  });
  const { port, dataDir } = settings;
  await checkPort(port);
  if (settings.reset) await endLeftoverServer(path.join(dataDir, "postgres"));
  openDataFolder(dataDir, settings.reset);
  const secrets = localSecrets(dataDir, settings.values);
  const fail = (message: string): void => {
    if (endingSince !== 0) return;
    console.error(`\n${message}`);
    void end(1);
  };

  console.log("Starting Switchyard");
  const services = await step("database and cache", () => startServices(settings, cleanup, fail));
  await step("migrations", () => migrateDatabase(services.migrationUrl));

  const front = { url: `http://127.0.0.1:${port}`, token: randomBytes(24).toString("base64url") };
  const log = new WorkerLog(path.join(dataDir, "workers.log"));
  cleanup.add("the log", () => log.close());
  await step("Workers", async () => {
    const variables = { ...workerVariables(settings, services, secrets), FRONT_TOKEN: front.token };
    const workers = startWorkers({ root: ROOT, port, dataDir, variables, log });
    cleanup.add("the Workers", () => workers.stop());
    void workers.ended.then(() =>
      fail(`The Workers ended. The last lines of their log (${log.file}):\n${log.recent}`),
    );
    await waitUntilReady(front, ending.signal);
  });
  if (ending.signal.aborted) return;
  const key = await step("first team", () =>
    firstTeamKey({ url: front.url, dataDir, superAdminKey: secrets.superAdminKey }),
  );
  void tickEachMinute(front, ending.signal);
  const polling = pollTelegram(settings, secrets, front.url);
  const model = await firstModel(front.url, key, settings.values);
  const { database, cache } = services;
  const { superAdminKeyFile } = secrets;
  console.log(
    card({
      url: front.url,
      key,
      model,
      superAdminKeyFile,
      database,
      cache,
      dataDir,
      logFile: log.file,
      settings: settings.values,
      polling,
    }),
  );
}

watchForTheEnd();
try {
  await start();
} catch (error) {
  // While everything ends, what was under way fails; the reason for the end has been told.
  if (endingSince === 0) {
    console.error(error instanceof StartError ? `\n${error.message}` : error);
    await end(1);
  }
}
