import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseEnv } from "node:util";
import { StartError } from "../start-error.ts";

export interface StartSettings {
  port: number;
  /** Where everything that this installation keeps is. */
  dataDir: string;
  reset: boolean;
  /** Every setting by its name, those of `.env` too; the environment wins. Empty ones are left out. */
  values: ReadonlyMap<string, string>;
}

const DEFAULT_PORT = 8787;
const DEFAULT_DATA_DIR = ".data";

/** Folders where wrangler would take a file of its own instead of what we pass on. */
const WORKER_FOLDERS = [".", "workers/bot", "workers/cron"];

interface Sources {
  root: string;
  environment: NodeJS.ProcessEnv;
  args: readonly string[];
}

/**
 * Reads the environment, `.env` and the command line, and checks what can be checked before anything runs.
 * @throws StartError with a sentence that names what is wrong and what to do
 */
export function readStartSettings({ root, environment, args }: Sources): StartSettings {
  for (const argument of args) {
    if (argument !== "--reset")
      throw new StartError(
        `npm start does not know ${argument}. It takes --reset only: npm start -- --reset`,
      );
  }
  for (const folder of WORKER_FOLDERS) {
    const file = path.join(folder, ".dev.vars");
    if (existsSync(path.join(root, file))) {
      throw new StartError(
        `wrangler would take its settings from ${file} and ignore all others. Move them to .env and delete that file.`,
      );
    }
  }
  const values = collectValues(root, environment);
  checkValues(values);
  return {
    port: readPort(values.get("PORT")),
    dataDir: path.resolve(root, values.get("SWITCHYARD_DATA") ?? DEFAULT_DATA_DIR),
    reset: args.includes("--reset"),
    values,
  };
}

/** `.env.example` explains every setting, so it also says which there are. */
function knownNames(root: string): string[] {
  const text = readFileSync(path.join(root, ".env.example"), "utf8");
  return [...text.matchAll(/^#?\s?([A-Z][A-Z0-9_]+)=/gm)].map(([, name = ""]) => name);
}

function collectValues(root: string, environment: NodeJS.ProcessEnv): Map<string, string> {
  const file = path.join(root, ".env");
  const fromFile = existsSync(file) ? parseEnv(readFileSync(file, "utf8")) : {};
  const values = new Map<string, string>();
  for (const name of new Set([...knownNames(root), ...Object.keys(fromFile)])) {
    const value = environment[name] ?? fromFile[name];
    if (value === undefined || value === "") continue;
    if (fromFile[name]?.includes("$") && value === fromFile[name]) {
      throw new StartError(
        `${name} in .env contains a $, which wrangler would take for a variable. Set ${name} in the environment instead.`,
      );
    }
    values.set(name, value);
  }
  return values;
}

function readPort(text: string | undefined): number {
  if (text === undefined) return DEFAULT_PORT;
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new StartError(`PORT is "${text}", and must be a number from 1 to 65535.`);
}

interface Rule {
  name: string;
  holds: (value: string) => boolean;
  mustBe: string;
}

function isUrl(value: string, protocols: RegExp): boolean {
  return URL.canParse(value) && protocols.test(new URL(value).protocol);
}

const RULES: Rule[] = [
  {
    name: "DATABASE_URL",
    holds: (value) => isUrl(value, /^postgres(ql)?:$/),
    mustBe: "a Postgres address, such as postgresql://user:password@host/database",
  },
  {
    name: "REDIS_URL",
    holds: (value) => isUrl(value, /^rediss?:$/),
    mustBe: "a Redis address, such as redis://localhost:6379",
  },
  {
    name: "UPSTASH_REDIS_REST_URL",
    holds: (value) => isUrl(value, /^https?:$/),
    mustBe: "the https:// address of Upstash's REST API",
  },
  {
    name: "AI_SERVICE_URL",
    holds: (value) => isUrl(value, /^https?:$/),
    mustBe: "an http(s) address, such as https://api.openai.com/v1",
  },
  {
    name: "TELEGRAM_API_ROOT",
    holds: (value) => isUrl(value, /^https?:$/),
    mustBe: "an http(s) address, such as https://api.telegram.org",
  },
  {
    name: "TELEGRAM_BOT_TOKEN",
    holds: (value) => /^\d+:[\w-]+$/.test(value),
    mustBe: "a bot token as @BotFather gives it, such as 123456:ABC-DEF",
  },
  {
    name: "TELEGRAM_WEBHOOK_SECRET",
    holds: (value) => /^[\w-]{1,256}$/.test(value),
    mustBe: "1 to 256 of the characters A-Z, a-z, 0-9, _ and -",
  },
  {
    name: "MASTER_KEY",
    holds: (value) => /^[A-Za-z0-9+/]{43}=$/.test(value),
    mustBe: "32 random bytes in base64, such as `openssl rand -base64 32` prints",
  },
  {
    name: "SUPER_ADMIN_API_KEYS",
    holds: (value) => value.split(",").every((key) => key.trim().length >= 16),
    mustBe: "keys of at least 16 characters, separated by commas",
  },
];

function checkValues(values: ReadonlyMap<string, string>): void {
  for (const { name, holds, mustBe } of RULES) {
    const value = values.get(name);
    // The value may be a secret, so it is not repeated.
    if (value !== undefined && !holds(value)) throw new StartError(`${name} must be ${mustBe}.`);
  }
  if (values.has("UPSTASH_REDIS_REST_URL") !== values.has("UPSTASH_REDIS_REST_TOKEN")) {
    throw new StartError(
      "UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN belong together: set both, or neither.",
    );
  }
  if (values.has("UPSTASH_REDIS_REST_URL") && values.has("REDIS_URL")) {
    throw new StartError(
      "REDIS_URL and UPSTASH_REDIS_REST_URL are both set: keep the one that is to be used.",
    );
  }
}
