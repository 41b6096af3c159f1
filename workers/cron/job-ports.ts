import type { JobPorts } from "#core/jobs/job-type.ts";
import type { TelegramFiles } from "#core/telegram/telegram-files.ts";
import { z } from "zod";
import { createFileStore } from "#platform/file-store.ts";
import { createSkillUser } from "#platform/skill-user.ts";
import { reportFonts } from "./report-fonts.ts";

const sent = z.enum(["taken", "known", "refused"]);
const fontFiles = z.array(z.instanceof(Uint8Array).nullable());
const vinRows = z.array(z.array(z.string()));

/** What jobs reach of the world. */
export function makeJobPorts(env: CronEnv, settings: { TIME_ZONE: string }): JobPorts {
  // Workers never import each other; the answer is checked.
  const bot = env.BOT as unknown as {
    sendFile(...file: Parameters<TelegramFiles["sendFile"]>): Promise<unknown>;
  };
  const api = env.API as unknown as {
    readVinRows(vins: readonly string[]): Promise<unknown>;
    readFontFiles(names: readonly string[]): Promise<unknown>;
  };
  return {
    files: createFileStore(env.FILES),
    vins: { readRows: async (vins) => vinRows.parse(await api.readVinRows(vins)) },
    skills: createSkillUser(env.API),
    telegram: { sendFile: async (chatId, file) => sent.parse(await bot.sendFile(chatId, file)) },
    reportFonts: () => ({
      fonts: reportFonts(),
      read: async (names) => fontFiles.parse(await api.readFontFiles(names)),
    }),
    timeZone: settings.TIME_ZONE,
  };
}
