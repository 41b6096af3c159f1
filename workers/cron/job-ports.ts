import type { JobPorts } from "#core/jobs/job-type.ts";
import type { TelegramFiles } from "#core/telegram/telegram-files.ts";
import { z } from "zod";
import { createFileStore } from "#platform/file-store.ts";
import { reportFonts } from "./report-fonts.ts";

const sent = z.enum(["taken", "known", "refused"]);

/** What jobs reach of the world. */
export function makeJobPorts(env: CronEnv, settings: { TIME_ZONE: string }): JobPorts {
  // Workers never import each other; the answer is checked.
  const bot = env.BOT as unknown as {
    sendFile(...file: Parameters<TelegramFiles["sendFile"]>): Promise<unknown>;
  };
  return {
    files: createFileStore(env.FILES),
    telegram: { sendFile: async (chatId, file) => sent.parse(await bot.sendFile(chatId, file)) },
    reportFonts,
    timeZone: settings.TIME_ZONE,
  };
}
