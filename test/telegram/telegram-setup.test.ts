import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type BotApi, startBotApi } from "./bot-api-server.ts";

const SCRIPT = fileURLToPath(new URL("../../scripts/telegram-setup.ts", import.meta.url));
const run = promisify(execFile);

let telegram: BotApi;
beforeEach(async () => {
  telegram = await startBotApi();
});
afterEach(() => telegram.stop());

/** Runs the script as npm does. */
async function setUp(more: Record<string, string> = {}, args = ["--url", "http://127.0.0.1:9/"]) {
  const env = {
    PATH: process.env["PATH"] ?? "",
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_WEBHOOK_SECRET: "a-secret-of-the-tests",
    TELEGRAM_API_ROOT: telegram.url,
    ...more,
  };
  const script = run(process.execPath, [SCRIPT, ...args], { env });
  return script.then(
    ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      output: error.stdout + error.stderr,
    }),
  );
}

it("sets the webhook with its secret, and the commands in every language, as often as one likes", async () => {
  for (let i = 0; i < 2; i++) {
    const { code, output } = await setUp();
    expect(output).toContain(
      "@switchyard_test_bot sends its updates to http://127.0.0.1:9/telegram/webhook",
    );
    expect(code).toBe(0);
  }
  expect(telegram.delivery.webhook).toMatchObject({
    url: "http://127.0.0.1:9/telegram/webhook",
    secretToken: "a-secret-of-the-tests",
    allowedUpdates: ["message", "callback_query", "my_chat_member"],
  });
  const names = (key: string) => telegram.world.commands.get(key)?.map((one) => one.command);
  expect(names("default|")).toContain("settings");
  expect(names("default|fa")).toEqual(names("default|"));
  expect(names("default|de")).toEqual(names("default|"));
  expect(names("default|")).not.toContain("broadcast");
});

it("shows admins their commands", async () => {
  const { code } = await setUp({ TELEGRAM_ADMIN_IDS: "7" });
  expect(code).toBe(0);
  expect(telegram.world.commands.get("chat|")?.map((one) => one.command)).toContain("broadcast");
});

it.each([
  ["no token", { TELEGRAM_BOT_TOKEN: "" }, "Set TELEGRAM_BOT_TOKEN"],
  [
    "a token that Telegram does not know",
    { TELEGRAM_BOT_TOKEN: "1:wrong" },
    "Telegram says: Unauthorized",
  ],
  [
    "a secret that Telegram would refuse",
    { TELEGRAM_WEBHOOK_SECRET: "with spaces in it, no" },
    "Set TELEGRAM_WEBHOOK_SECRET",
  ],
  [
    "Telegram out of reach",
    { TELEGRAM_API_ROOT: "http://127.0.0.1:1" },
    "Telegram cannot be reached",
  ],
])("with %s says what to do and no secret", async (_what, env, sentence) => {
  const { code, output } = await setUp(env);
  expect(code).toBe(1);
  expect(output).toContain(sentence);
  expect(output).not.toContain(telegram.token);
  expect(telegram.delivery.webhook).toBeUndefined();
});

it("without an address asks for one", async () => {
  const { code, output } = await setUp({}, []);
  expect([code, output]).toEqual([1, expect.stringContaining("--url")]);
});
