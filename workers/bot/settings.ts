import { z } from "zod";
import { databaseSettings, readSettings } from "#platform/settings.ts";

const text = z
  .string()
  .default("")
  .transform((value) => value.trim() || null);

const botSettings = z.object({
  ...databaseSettings,
  /** From @BotFather. Without it the bot is off. */
  TELEGRAM_BOT_TOKEN: text.pipe(
    z
      .string()
      .regex(/^\d+:[\w-]+$/, "must be a bot token, such as 123456:ABC-DEF")
      .nullable(),
  ),
  /** Telegram sends it with each update; 1 to 256 of A-Z, a-z, 0-9, _ and -. */
  TELEGRAM_WEBHOOK_SECRET: text.pipe(
    z
      .string()
      .regex(/^[\w-]{1,256}$/, "may hold A-Z, a-z, 0-9, _ and - only, at most 256 of them")
      .nullable(),
  ),
  TELEGRAM_API_ROOT: text
    .pipe(z.url({ protocol: /^https?$/ }).nullable())
    .transform((value) => (value ?? "https://api.telegram.org").replace(/\/+$/, "")),
  /** Telegram users who may use /stats and /broadcast. */
  TELEGRAM_ADMIN_IDS: z
    .string()
    .default("")
    .transform((value) =>
      value
        .split(",")
        .map((id) => id.trim())
        .filter((id) => id !== ""),
    )
    .pipe(
      z.array(z.string().regex(/^\d+$/, "must be numbers, separated by commas").transform(Number)),
    ),
  GUEST_ACCESS: z
    .enum(["", "0", "1", "on", "off", "true", "false"])
    .default("")
    .transform((value) => ["1", "on", "true"].includes(value)),
});

export type BotSettings = z.output<typeof botSettings>;

/** @throws AppError `misconfigured`, naming each setting at fault */
export function readBotSettings(env: object): BotSettings {
  return readSettings(botSettings, env);
}
