import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readStartSettings, type StartSettings } from "./settings.ts";

describe("the settings of npm start", () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), "switchyard-settings-"));
    const names = [
      "PORT",
      "SWITCHYARD_DATA",
      "DATABASE_URL",
      "REDIS_URL",
      "UPSTASH_REDIS_REST_URL",
      "UPSTASH_REDIS_REST_TOKEN",
      "MASTER_KEY",
      "LOG_LEVEL",
      "TELEGRAM_BOT_TOKEN",
      "AI_SERVICE_API_KEY",
      "SUPER_ADMIN_API_KEYS",
    ];
    writeFileSync(path.join(root, ".env.example"), names.map((name) => `# ${name}=\n`).join(""));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  function read(environment: NodeJS.ProcessEnv = {}, args: string[] = []): StartSettings {
    return readStartSettings({ root, environment, args });
  }

  it("have defaults for everything", () => {
    expect(read()).toEqual({
      port: 8787,
      dataDir: path.join(root, ".data"),
      reset: false,
      values: new Map(),
    });
  });

  it("come from .env, and the environment goes first", () => {
    writeFileSync(
      path.join(root, ".env"),
      'LOG_LEVEL="debug"\nPORT=9000\nNEW_SETTING=from a later version\nREDIS_URL=\n',
    );
    const settings = read({ PORT: "9001", HOME: "/root", UNRELATED: "1" }, ["--reset"]);
    expect(settings.port).toBe(9001);
    expect(settings.reset).toBe(true);
    expect([...settings.values]).toEqual(
      expect.arrayContaining([
        ["LOG_LEVEL", "debug"],
        ["NEW_SETTING", "from a later version"],
      ]),
    );
    expect(settings.values.has("UNRELATED")).toBe(false);
    expect(settings.values.has("REDIS_URL")).toBe(false);
  });

  it.each([
    [{ PORT: "http" }, /PORT is "http", and must be a number from 1 to 65535/],
    [{ PORT: "70000" }, /PORT/],
    [{ PORT: "0" }, /PORT/],
    [{ DATABASE_URL: "mysql://x" }, /DATABASE_URL must be a Postgres address/],
    [{ REDIS_URL: "localhost:6379" }, /REDIS_URL must be a Redis address/],
    [{ UPSTASH_REDIS_REST_URL: "https://x.upstash.io" }, /belong together/],
    [{ UPSTASH_REDIS_REST_TOKEN: "x" }, /belong together/],
    [
      {
        UPSTASH_REDIS_REST_URL: "https://x",
        UPSTASH_REDIS_REST_TOKEN: "x",
        REDIS_URL: "redis://x",
      },
      /both set/,
    ],
    [{ MASTER_KEY: "short" }, /MASTER_KEY must be 32 random bytes in base64/],
    [{ SUPER_ADMIN_API_KEYS: "long-enough-0123456789,short" }, /at least 16 characters/],
    [{ TELEGRAM_BOT_TOKEN: "nonsense" }, /@BotFather/],
  ])("are refused with a sentence: %j", (environment, message) => {
    expect(() => read(environment)).toThrow(message);
  });

  it("never repeat a secret in what they say", () => {
    expect(() => read({ MASTER_KEY: "my-secret-value" })).toThrow(/^(?!.*my-secret-value)/s);
  });

  it("refuse what wrangler would read otherwise than we do", () => {
    writeFileSync(path.join(root, ".env"), "AI_SERVICE_API_KEY=sk-pa$$word\n");
    expect(() => read()).toThrow(/AI_SERVICE_API_KEY in \.env contains a \$/);
    expect(read({ AI_SERVICE_API_KEY: "sk-pa$$other" }).values.get("AI_SERVICE_API_KEY")).toBe(
      "sk-pa$$other",
    );
    mkdirSync(path.join(root, "workers/bot"), { recursive: true });
    writeFileSync(path.join(root, "workers/bot/.dev.vars"), "A=1");
    expect(() => read()).toThrow(/workers\/bot\/\.dev\.vars/);
  });

  it("refuse an option that nobody knows", () => {
    expect(() => read({}, ["--rest"])).toThrow("npm start does not know --rest");
  });
});
