import { SKILLS } from "#core/skills/skills.ts";

/** The commands that everybody sees in Telegram's menu, in this order. */
export const MENU_COMMANDS = [
  "new",
  "model",
  "usage",
  "stop",
  "settings",
  "team",
  "whoami",
  "help",
  "start",
] as const;
/** Commands of skills, each with the line that explains it in each language. */
export const SKILL_COMMANDS = SKILLS.flatMap(({ telegram }) =>
  telegram ? [{ command: telegram.command, usage: telegram.usage }] : [],
);
/** What a skill's command is for, without how it is written: `/vin 1HG… – what a VIN says` → `what a VIN says`. */
export const purposeOf = (usage: string) => usage.slice(usage.indexOf("–") + 1).trim();

/** Commands of the bot's admins; nobody else is told that they exist. */
export const ADMIN_COMMANDS = ["stats", "broadcast"] as const;

export const KNOWN_COMMANDS: ReadonlySet<string> = new Set([
  ...MENU_COMMANDS,
  ...SKILL_COMMANDS.map(({ command }) => command),
  ...ADMIN_COMMANDS,
]);

/** The kinds of updates that the bot asks Telegram for. */
export const ALLOWED_UPDATES = ["message", "callback_query", "my_chat_member"] as const;
