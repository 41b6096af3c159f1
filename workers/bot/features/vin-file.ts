import { Composer } from "grammy";
import type { Document } from "grammy/types";
import { TelegramRefusal } from "../chat-object/sender.ts";
import { SwitchyardProblem, type VinFileJob } from "../switchyard/switchyard-api.ts";
import { fetchFile } from "../telegram/fetch-file.ts";
import type { BotContext, LinkOfChat, Turn } from "../turn.ts";
import { problemText } from "../views/problem.ts";

/** Telegram gives bots no larger files, and takes none that are larger than this. */
const DOWNLOAD_LIMIT = 20 * 1024 * 1024;
const UPLOAD_LIMIT = 50 * 1024 * 1024;
const LOOK_MS = 2_000;
/** After so long of watching the turn is put off for a moment, so that no alarm runs for too long. */
const WATCH_MS = 60_000;

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
  if (!link) return turn.answer(turn.say.notLinked({ isGroup: turn.parts.isGroup }));
  if ((document.file_size ?? 0) > DOWNLOAD_LIMIT) return turn.answer(turn.say.vinFile.tooLarge);
  try {
    await turn.parts.reply.begin();
    const jobId = await jobOf(turn, link, document);
    if (jobId === null) return await turn.answer(turn.say.vinFile.unavailable);
    return await watch(turn, link, jobId);
  } catch (error) {
    if (error instanceof TelegramRefusal) throw error;
    if (error instanceof SwitchyardProblem && error.code === "unavailable")
      throw later("the api Worker is away", error);
    return turn.answer(problemText(turn.say, error, turn.parts.row.requestId));
  }
});

function isTable({ file_name: name = "", mime_type: type = "" }: Document): boolean {
  return /\.(csv|tsv|xlsx)$/i.test(name) || /^text\/csv$|spreadsheetml\.sheet$/.test(type);
}

const later = (why: string, cause: unknown) =>
  new TelegramRefusal({ kind: "later", at: Date.now() + 500, why }, cause);

/** The job of this update: the one that was made before a crash, or a new one. Null where Telegram does not give the file. */
async function jobOf(turn: Turn, link: LinkOfChat, document: Document): Promise<string | null> {
  const { row, inbox, target } = turn.parts;
  if (row.answer !== null) return row.answer;
  const file = await fetchFile(turn.parts, document.file_id, DOWNLOAD_LIMIT);
  if (file === null) return null;
  const jobId = await turn.switchyard(link).readVinFile({
    body: file,
    name: document.file_name ?? "vins",
    contentType: document.mime_type ?? "application/octet-stream",
    requestKey: `telegram-file-${target.chatId}-${row.updateId}`,
  });
  inbox.saveAnswer(row.updateId, jobId);
  return jobId;
}

async function watch(turn: Turn, link: LinkOfChat, jobId: string): Promise<void> {
  const { reply, stopSignal, row } = turn.parts;
  const { vinFile: say, chat } = turn.say;
  const switchyard = turn.switchyard(link);
  const number = new Intl.NumberFormat(turn.parts.language);
  const until = Date.now() + WATCH_MS;
  while (Date.now() < until) {
    if (row.stopped || stopSignal.aborted) {
      await switchyard.cancelJob(jobId);
      return turn.answer(chat.stopped);
    }
    const job = await switchyard.vinFileJob(jobId);
    if (job.state === "succeeded") return finish(turn, link, job);
    if (job.state === "failed" || job.state === "cancelled")
      return turn.answer(say.failed({ reason: job.error?.message ?? job.state }));
    await reply.show(say.reading({ rows: number.format(job.progress.done) }));
    await pause(LOOK_MS, stopSignal);
  }
  throw later("the file is still being read", null);
}

/** The message that showed the progress becomes the file. */
async function finish(turn: Turn, link: LinkOfChat, job: VinFileJob): Promise<void> {
  const { result } = job;
  const { vinFile: say } = turn.say;
  if (!result) return turn.answer(say.failed({ reason: job.state }));
  const number = new Intl.NumberFormat(turn.parts.language);
  const caption = say.done({
    rows: number.format(result.rows),
    vins: number.format(result.vins),
    wrong: number.format(result.wrong),
  });
  const bytes = await turn.switchyard(link).download(result.url);
  if (bytes.length > UPLOAD_LIMIT) return turn.answer(`${caption}\n${say.resultTooLarge}`);
  return turn.parts.reply.finishWithFile({
    kind: "file",
    name: result.file,
    bytes,
    caption,
  });
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end);
  });
}
