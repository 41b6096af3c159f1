import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { endWithParent } from "../end-with-parent.ts";
import type { WorkerLog } from "./worker-log.ts";

const WRANGLER = fileURLToPath(
  new URL("../../node_modules/wrangler/wrangler-dist/cli.js", import.meta.url),
);
/** The first gets the port; the others are reached through its bindings. */
const CONFIGS = [
  "dev/front-worker/wrangler.toml",
  "wrangler.toml",
  "workers/bot/wrangler.toml",
  "workers/cron/wrangler.toml",
];
const STOP_GRACE_MS = 5_000;

/** What wrangler needs of our environment. It passes all that it gets on to the Workers, so it gets no more. */
const PASSED_ON = [
  "PATH",
  "HOME",
  "USERPROFILE",
  "SystemRoot",
  "TMPDIR",
  "TEMP",
  "TMP",
  "LANG",
  "NODE_EXTRA_CA_CERTS",
  "SSL_CERT_FILE",
];

export interface WorkersOptions {
  root: string;
  port: number;
  dataDir: string;
  variables: Record<string, string>;
  log: WorkerLog;
}

export interface RunningWorkers {
  /** Settles when wrangler ends. */
  ended: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Of several `-c`, wrangler gives `--var` and `--env-file` to the first Worker only. The one way that reaches all of
 * them without a file in the source tree is its own environment, which no other user of the machine can read.
 */
function environment({ dataDir, variables }: WorkersOptions): NodeJS.ProcessEnv {
  const passedOn = PASSED_ON.flatMap((name) =>
    process.env[name] === undefined ? [] : [[name, process.env[name]]],
  );
  const state = path.join(dataDir, "wrangler");
  return {
    ...Object.fromEntries(passedOn),
    ...variables,
    CLOUDFLARE_INCLUDE_PROCESS_ENV: "true",
    CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV: "true",
    CLOUDFLARE_CF_FETCH_ENABLED: "false", // no call to the internet for an example of request.cf
    CLOUDFLARE_DEV_REGISTRY_PATH: path.join(state, "registry"), // or Workers of other projects could be found
    WRANGLER_REGISTRY_PATH: path.join(state, "registry"),
    WRANGLER_CACHE_DIR: path.join(state, "cache"),
    WRANGLER_LOG_PATH: path.join(state, "logs"),
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_SEND_ERROR_REPORTS: "false",
    WRANGLER_HIDE_BANNER: "true",
    NO_COLOR: "1",
  };
}

/** Starts the Workers with hot reload. They end with this process, however it ends. */
export function startWorkers(options: WorkersOptions): RunningWorkers {
  const { root, port, dataDir, log } = options;
  const args = [
    "--no-warnings",
    WRANGLER,
    "dev",
    ...CONFIGS.map((config) => `--config=${config}`),
    "--ip=127.0.0.1",
    `--port=${port}`,
    "--inspector-port=0",
    `--persist-to=${path.join(dataDir, "workers")}`,
    "--local",
    "--show-interactive-dev-session=false",
  ];
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: environment(options),
    stdio: ["ignore", "pipe", "pipe"],
    detached: true, // a group of its own, so that workerd and esbuild end with it
  });
  createInterface({ input: child.stdout }).on("line", (line) => log.take(line, false));
  createInterface({ input: child.stderr }).on("line", (line) => log.take(line, true));
  const ended = new Promise<void>((resolve) => {
    child.once("error", () => resolve());
    child.once("exit", () => resolve());
  });
  const { pid } = child;
  if (pid === undefined) return { ended, stop: () => ended };
  const callOff = endWithParent({ pid, group: true, signal: "TERM" });
  return {
    ended,
    async stop() {
      await endGroup(pid);
      await ended;
      callOff();
    },
  };
}

/** Asks a process group to end, and makes it after a while. Its leader may be gone while others are still there. */
async function endGroup(leader: number): Promise<void> {
  const deadline = Date.now() + STOP_GRACE_MS;
  signalGroup(leader, "SIGTERM");
  while (signalGroup(leader, 0)) {
    if (Date.now() > deadline) signalGroup(leader, "SIGKILL");
    await delay(25);
    if (Date.now() > deadline + STOP_GRACE_MS) return; // only zombies are left
  }
}

function signalGroup(leader: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-leader, signal);
  } catch {
    return false;
  }
}
