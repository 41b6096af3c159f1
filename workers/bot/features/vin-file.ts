import { Composer } from "grammy";
import type { Document } from "grammy/types";
import { z } from "zod";
import { fetchFile } from "../telegram/fetch-file.ts";
import type { BotContext, LinkOfChat, Turn } from "../turn.ts";
import { type JobView, watchJob } from "./watch-job.ts";

/** Telegram gives bots no larger files. */
const DOWNLOAD_LIMIT = 20 * 1024 * 1024;

const fileResult = z.object({ rows: z.number(), vins: z.number(), wrong: z.number() });

/**
 * A CSV or XLSX file: its VINs are read as a job, whose progress is shown in the answer's one message; in the end that
 * message becomes the result. What is kept with the update is the job, so a crash goes on with the same one.
 */
export const vinFile = new Composer<BotContext>();

vinFile.on("message:document", async (ctx, next) => {
  const { turn, message } = ctx;
  const { document } = message;
  if (!isTable(document)) return next();
  const link = await turn.link();
  if (!link) return turn.answerNotLinked();
  if (await turn.refusesJobs(link)) return;
  if ((document.file_size ?? 0) > DOWNLOAD_LIMIT) return turn.answer(turn.say.vinFile.tooLarge);
  const begin = () => jobOf(turn, link, document);
  await watchJob(turn, link, { view: viewOf(turn), reply: turn.parts.reply, begin });
});

function isTable({ file_name: name = "", mime_type: type = "" }: Document): boolean {
  return /\.(csv|tsv|xlsx)$/i.test(name) || /^text\/csv$|spreadsheetml\.sheet$/.test(type);
}

/** The job of this update: the one that was made before a crash, or a new one. Null where Telegram does not give the file. */
async function jobOf(turn: Turn, link: LinkOfChat, document: Document): Promise<string | null> {
  const { row, inbox, target } = turn.parts;
  if (row.answer !== null) return row.answer;
  const file = await fetchFile(turn.parts, document.file_id, DOWNLOAD_LIMIT);
  if (file === null) {
    await turn.answer(turn.say.vinFile.unavailable);
    return null;
  }
  const jobId = await turn.switchyard(link).readVinFile({
    body: file,
    name: document.file_name ?? "vins",
    contentType: document.mime_type ?? "application/octet-stream",
    requestKey: `telegram-file-${target.chatId}-${row.updateId}`,
  });
  inbox.saveAnswer(row.updateId, jobId);
  return jobId;
}

function viewOf(turn: Turn): JobView {
  const { vinFile: say } = turn.say;
  const number = new Intl.NumberFormat(turn.parts.language);
  return {
    progress: ({ progress }) => say.reading({ rows: number.format(progress.done) }),
    caption({ result }) {
      const { rows, vins, wrong } = fileResult.parse(result);
      return say.done({
        rows: number.format(rows),
        vins: number.format(vins),
        wrong: number.format(wrong),
      });
    },
    failed: (reason) => say.failed({ reason }),
  };
}
