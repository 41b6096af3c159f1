import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { StartError } from "../start-error.ts";

/** Everything that `npm start` keeps, so that --reset deletes this and nothing else. */
const CONTENTS = [
  "postgres",
  "postgres.unfinished",
  "workers",
  "wrangler",
  "secrets",
  "first-team.json",
  "telegram-offset.json",
  "workers.log",
  "workers.log.1",
];

export interface LocalSecrets {
  /** Encrypts what the Workers keep secret: 32 bytes in base64. */
  masterKey: string;
  superAdminKey: string;
  /** Where to read the super admin key, or undefined when it comes from the settings. */
  superAdminKeyFile: string | undefined;
  telegramWebhookSecret: string;
}

/** Makes the folder; with `reset`, without what an earlier start left in it. */
export function openDataFolder(folder: string, reset: boolean): void {
  if (reset)
    for (const name of CONTENTS) rmSync(path.join(folder, name), { recursive: true, force: true });
  rmSync(path.join(folder, "wrangler", "logs"), { recursive: true, force: true }); // wrangler adds one each time
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 }); // chats are in it
  } catch (cause) {
    throw new StartError(
      `The folder ${folder} can't be made. Set SWITCHYARD_DATA to one that can.`,
      { cause },
    );
  }
}

/** The secrets of this installation, made on the first start. What the settings say goes first. */
export function localSecrets(folder: string, values: ReadonlyMap<string, string>): LocalSecrets {
  const secrets = path.join(folder, "secrets");
  mkdirSync(secrets, { recursive: true, mode: 0o700 });
  const own = (name: string, create: () => string): string => {
    const file = path.join(secrets, name);
    if (!existsSync(file)) writeSecretFile(file, `${create()}\n`);
    return readFileSync(file, "utf8").trim();
  };
  const givenAdminKey = values.get("SUPER_ADMIN_API_KEYS")?.split(",")[0]?.trim();
  return {
    masterKey:
      values.get("MASTER_KEY") ?? own("master-key", () => randomBytes(32).toString("base64")),
    superAdminKey:
      givenAdminKey ??
      own("super-admin-key", () => `sy_admin_${randomBytes(24).toString("base64url")}`),
    superAdminKeyFile:
      givenAdminKey === undefined ? path.join(secrets, "super-admin-key") : undefined,
    telegramWebhookSecret:
      values.get("TELEGRAM_WEBHOOK_SECRET") ??
      own("telegram-webhook-secret", () => randomBytes(24).toString("base64url")),
  };
}

/** Writes a file that only its owner may read. */
export function writeSecretFile(file: string, content: string): void {
  rmSync(file, { force: true }); // the mode only counts for a new file
  writeFileSync(file, content, { mode: 0o600 });
}
