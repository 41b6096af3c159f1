import { hasEnded } from "#core/jobs/job.ts";
import { pause } from "#core/kernel/pause.ts";
import type { Reply } from "../chat-object/reply.ts";
import { TelegramRefusal } from "../chat-object/sender.ts";
import { SwitchyardProblem, type WatchedJob } from "../switchyard/switchyard-api.ts";
import type { FileMessage } from "../text/answer-messages.ts";
import { CAPTION_LIMIT, plain } from "../text/formatted-text.ts";
import type { LinkOfChat, Turn } from "../turn.ts";
import { stopKeyboard } from "../views/keyboards.ts";
import { problemText } from "../views/problem.ts";

/** A bot may send no larger files. */
const UPLOAD_LIMIT = 50 * 1024 * 1024;
const LOOK_MS = 2_000;
/** After so long of watching the turn is put off for a moment, so that no alarm runs for too long. */
const WATCH_MS = 60_000;

/** How a job is shown in a chat, in the chat's language. */
export interface JobView {
  /** How far it is. */
  progress(job: WatchedJob): string;
  /** Stands with its files, or alone where it has none. */
  caption(job: WatchedJob): string;
  failed(reason: string): string;
}

interface Watched {
  view: JobView;
  /** The messages that show it. */
  reply: Reply;
  /** The job: the one that was begun before a crash, or a new one. Null where it was answered otherwise. */
  begin(): Promise<string | null>;
}

/**
 * Shows a job in one message, with how far it is, until it ends; then that message becomes its file, and more of them
 * follow. Each time the update is worked on, the same messages are brought up to date.
 * @returns how many messages it has taken
 * @throws TelegramRefusal also to look again later
 */
export async function watchJob(
  turn: Turn,
  link: LinkOfChat,
  { view, reply, begin }: Watched,
): Promise<number> {
  const say = (text: string) => reply.finish([{ kind: "text", content: plain(text) }]);
  try {
    await reply.begin(stopKeyboard(turn.say, turn.parts.row.updateId));
    const jobId = await begin();
    if (jobId === null) return 1;
    const job = await watch(turn, link, { jobId, view, reply });
    if (job === "stopped") await say(turn.say.chat.stopped);
    else if (job.state !== "succeeded") await say(view.failed(job.error?.message ?? job.state));
    else return await bring(turn, link, { job, view, reply });
    return 1;
  } catch (error) {
    if (error instanceof TelegramRefusal) throw error;
    if (error instanceof SwitchyardProblem && error.code === "unavailable")
      throw later("the api Worker is away", error);
    await say(problemText(turn.say, error, turn.parts.row.requestId));
    return 1;
  }
}

const later = (why: string, cause: unknown) =>
  new TelegramRefusal({ kind: "later", at: Date.now() + 500, why }, cause);

/** @returns the job once it has ended */
async function watch(
  turn: Turn,
  link: LinkOfChat,
  { jobId, view, reply }: { jobId: string; view: JobView; reply: Reply },
): Promise<WatchedJob | "stopped"> {
  const { stopSignal, row } = turn.parts;
  const switchyard = turn.switchyard(link);
  const keyboard = stopKeyboard(turn.say, row.updateId);
  const until = Date.now() + WATCH_MS;
  while (Date.now() < until) {
    if (row.stopped || stopSignal.aborted) {
      await switchyard.cancelJob(jobId);
      return "stopped";
    }
    const job = await switchyard.job(jobId);
    if (hasEnded(job.state)) return job;
    await reply.show(view.progress(job), keyboard);
    await pause(LOOK_MS, stopSignal);
  }
  throw later("the job goes on", null);
}

/** The message that showed the progress becomes the first file. */
async function bring(
  turn: Turn,
  link: LinkOfChat,
  { job, view, reply }: { job: WatchedJob; view: JobView; reply: Reply },
): Promise<number> {
  const switchyard = turn.switchyard(link);
  const caption = view.caption(job).slice(0, CAPTION_LIMIT);
  const fitting = job.results.filter(({ size }) => size <= UPLOAD_LIMIT);
  const missing = fitting.length < job.results.length;
  if (fitting.length === 0) {
    const text = missing ? `${caption}\n${turn.say.jobs.fileTooLarge}` : caption;
    await reply.finish([{ kind: "text", content: plain(text) }]);
    return 1;
  }
  for (const [index, { name, url }] of fitting.entries()) {
    if (index > 0 && reply.has(index)) continue; // the first one is the message of the progress
    const bytes = await switchyard.download(url);
    const file: FileMessage = { kind: "file", name, bytes, caption: index === 0 ? caption : "" };
    await reply.finishWithFile(index, file);
  }
  return fitting.length;
}
