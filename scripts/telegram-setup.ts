// Registers the bot's commands and its webhook with Telegram. `npm run telegram:setup -- https://bot.example.com`
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Api, GrammyError } from "grammy";
import type { BotCommand, LanguageCode } from "grammy/types";
import {
  ADMIN_COMMANDS,
  ALLOWED_UPDATES,
  MENU_COMMANDS,
  purposeOf,
  SKILL_COMMANDS,
} from "../workers/bot/commands.ts";
import { type Language, LANGUAGES, messagesIn } from "../workers/bot/locales/index.ts";

export interface TelegramSetup {
  token: string;
  webhookSecret: string;
  /** Where the bot Worker can be reached, without the path of the webhook. */
  publicUrl: string;
  apiRoot?: string | undefined;
  /** Telegram users who see the admins' commands too. */
  adminIds?: number[];
}

export interface TelegramSetupResult {
  username: string;
  webhookUrl: string;
  /** What Telegram says went wrong with the webhook lately, if anything. */
  lastError: string | null;
}

/** A sentence for whoever runs the script. */
export class SetupError extends Error {}

/**
 * Sets the webhook and the commands, in every language that the bot speaks. Doing it again changes nothing.
 * @throws SetupError when Telegram did not take over what it was told
 */
export async function setUpTelegram(setup: TelegramSetup): Promise<TelegramSetupResult> {
  const api = new Api(setup.token, setup.apiRoot === undefined ? {} : { apiRoot: setup.apiRoot });
  const { username } = await api.getMe();
  const webhookUrl = `${setup.publicUrl.replace(/\/+$/, "")}/telegram/webhook`;
  await setCommands(api, setup.adminIds ?? []);
  await api.setWebhook(webhookUrl, {
    secret_token: setup.webhookSecret,
    allowed_updates: [...ALLOWED_UPDATES],
  });
  const info = await api.getWebhookInfo();
  // Telegram drops names that it does not know without a word, so what it kept is looked at.
  const missing = ALLOWED_UPDATES.filter((kind) => !info.allowed_updates?.includes(kind));
  if (info.url !== webhookUrl || missing.length > 0) {
    throw new SetupError(
      `Telegram did not keep the webhook as it was set: ${info.url || "no address"}, without ${missing.join(", ") || "nothing"}.`,
    );
  }
  return { username, webhookUrl, lastError: info.last_error_message ?? null };
}

async function setCommands(api: Api, adminIds: number[]): Promise<void> {
  await api.setMyCommands(menuIn("en"));
  for (const language of LANGUAGES.filter((one) => one !== "en")) {
    const code: LanguageCode = language;
    await api.setMyCommands(menuIn(language), { language_code: code });
  }
  for (const adminId of adminIds) {
    const commands = [...menuIn("en"), ...ADMIN_MENU];
    try {
      await api.setMyCommands(commands, { scope: { type: "chat", chat_id: adminId } });
    } catch (error) {
      if (!(error instanceof GrammyError)) throw error;
      // Telegram knows no chat with somebody who has never written to the bot.
      console.warn(
        `Admin ${adminId} has to write to the bot once, then run this again: ${error.description}`,
      );
    }
  }
}

const menuIn = (language: Language): BotCommand[] => [
  ...SKILL_COMMANDS.map(({ command, usage }) => ({
    command,
    description: purposeOf(usage[language]).slice(0, 256),
  })),
  ...MENU_COMMANDS.map((command) => ({
    command,
    description: messagesIn(language).commands[command],
  })),
];

const ADMIN_DESCRIPTIONS: Record<(typeof ADMIN_COMMANDS)[number], string> = {
  stats: "Linked chats in numbers",
  broadcast: "Write to every linked chat",
};
const ADMIN_MENU: BotCommand[] = ADMIN_COMMANDS.map((command) => ({
  command,
  description: ADMIN_DESCRIPTIONS[command],
}));

function readSetup(url: string | undefined): TelegramSetup {
  const env = process.env;
  const token = env["TELEGRAM_BOT_TOKEN"];
  if (!token) throw new SetupError("Set TELEGRAM_BOT_TOKEN to the token that @BotFather gave you.");
  const webhookSecret = env["TELEGRAM_WEBHOOK_SECRET"] ?? "";
  if (!/^[\w-]{1,256}$/.test(webhookSecret)) {
    throw new SetupError(
      "Set TELEGRAM_WEBHOOK_SECRET to 1 to 256 of A-Z, a-z, 0-9, _ and -, the same as in the bot Worker.",
    );
  }
  const publicUrl = url ?? env["PUBLIC_URL"];
  if (!publicUrl || !URL.canParse(publicUrl)) {
    throw new SetupError(
      "Say where the bot Worker is: --url https://bot.example.com, or set PUBLIC_URL.",
    );
  }
  const adminIds = (env["TELEGRAM_ADMIN_IDS"] ?? "")
    .split(",")
    .map(Number)
    .filter((id) => id > 0);
  return {
    token,
    webhookSecret,
    publicUrl,
    apiRoot: env["TELEGRAM_API_ROOT"] || undefined,
    adminIds,
  };
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { url: { type: "string" } },
    allowPositionals: true,
  });
  const envFile = fileURLToPath(new URL("../.env", import.meta.url));
  if (existsSync(envFile)) process.loadEnvFile(envFile);
  try {
    const { username, webhookUrl, lastError } = await setUpTelegram(
      readSetup(values.url ?? positionals[0]),
    );
    console.log(
      `@${username} sends its updates to ${webhookUrl}, and shows its commands in ${LANGUAGES.length} languages.`,
    );
    if (lastError !== null) console.log(`The last delivery failed: ${lastError}`);
  } catch (error) {
    // Other errors may hold the address that was called, and the address holds the token.
    const told =
      error instanceof SetupError
        ? error.message
        : error instanceof GrammyError
          ? `Telegram says: ${error.description}`
          : "Telegram cannot be reached.";
    console.error(told);
    process.exitCode = 1;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
