import { and, eq } from "drizzle-orm";
import { jobResults } from "#schema";
import { AppError } from "../../kernel/errors.ts";
import { JobFailure, type JobProgram, type JobRun, type JobType } from "../../jobs/job-type.ts";
import { requireTeamChat } from "../../telegram/require-team-chat.ts";
import { buildReport } from "../build-report.ts";
import { writePage } from "../page/write-page.ts";
import { writePdf } from "../pdf/write-pdf.ts";
import type { Report } from "../report.ts";
import { writeJson } from "../write-json.ts";
import { writeXlsx } from "../xlsx/write-xlsx.ts";
import { fileName } from "./file-name.ts";
import {
  campaignReport,
  excelReport,
  pdfReport,
  type ReportInput,
  type ReportResult,
} from "./report-job-types.ts";

/** A bot may send 50 MB; the chat's object holds a file whole while it sends it, so less is taken. */
const MOST_TELEGRAM_BYTES = 20_000_000;

/** Letters that a line of the log names. */
const MOST_NAMED = 40;

/** A file to be saved. */
interface ReportFile {
  extension: string;
  contentType: string;
  body: ReadableStream<Uint8Array> | Uint8Array | string;
}

type Render = (report: Report, job: JobRun<ReportInput>) => Promise<ReportFile[]>;

/** How reports are made. The document is read and written in one step: a repeated step replaces its files. */
export const REPORT_PROGRAMS: readonly JobProgram<ReportInput, ReportResult>[] = [
  program(campaignReport, async (report) => [
    { extension: "json", contentType: "application/json", body: writeJson(report) },
    { extension: "html", contentType: "text/html", body: writePage(report) },
  ]),
  program(pdfReport, async (report, { ports, log }) => {
    const { bytes, missing } = await writePdf(report, ports.reportFonts());
    if (missing.length > 0)
      log(
        `No font has these letters, \ufffd stands for them: ${missing.slice(0, MOST_NAMED).join(" ")}`,
      );
    return [{ extension: "pdf", contentType: "application/pdf", body: bytes }];
  }),
  program(excelReport, async (report) => [
    {
      extension: "xlsx",
      contentType: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
      body: writeXlsx(report),
    },
  ]),
];

function program(
  type: JobType<ReportInput, ReportResult>,
  render: Render,
): JobProgram<ReportInput, ReportResult> {
  return { type, version: 1, run: (job) => run(job, render) };
}

async function run(job: JobRun<ReportInput>, render: Render): Promise<ReportResult> {
  const chat = job.input.send_to?.telegram_chat ?? null;
  if (chat !== null)
    await job.step.run("look for the chat", () =>
      lasting(() => requireTeamChat(job.context, chat)),
    );
  const written = await job.step.run("write the report", () => lasting(() => write(job, render)));
  if (chat === null) return { ...written, sent_to_telegram: null };
  const sent = await job.step.run("send to Telegram", () => sendFiles(job, written, chat));
  return { ...written, sent_to_telegram: sent };
}

type Written = Omit<ReportResult, "sent_to_telegram">;

async function write(job: JobRun<ReportInput>, render: Render): Promise<Written> {
  const { input, context, ports } = job;
  job.progress(0, 2, "Reading the figures");
  const report = await buildReport(context, {
    campaignIds: input.campaigns === "all" ? null : input.campaigns,
    from: input.from ?? null,
    to: input.to ?? null,
    days: input.days,
    language: input.language,
    title: input.title,
    timeZone: ports.timeZone,
  });
  job.signal.throwIfAborted();
  job.progress(1, 2, "Writing the report");
  const files: Written["files"] = [];
  for (const { extension, contentType, body } of await render(report, job)) {
    const name = fileName(report, extension);
    const { url, size } = await job.saveResult({ name, contentType, body });
    files.push({ name, url, content_type: contentType, size });
  }
  job.progress(2, 2, "The report is written");
  const { title, period } = report.cover;
  return { title, period, language: report.language, files };
}

/** What is wrong with the request stays wrong however often it is tried. */
async function lasting<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError && !error.meaning.retry) throw new JobFailure(error.message);
    throw error;
  }
}

/** Gives the files to the bot, which sends each once: its key is the job's and the file's. @returns how many it took */
async function sendFiles(
  { id, context, ports, log }: JobRun<ReportInput>,
  { files, title }: Written,
  chatId: number,
): Promise<number> {
  // The chat may have been taken from the team since.
  await lasting(() => requireTeamChat(context, chatId));
  let taken = 0;
  for (const { name, size } of files) {
    if (size > MOST_TELEGRAM_BYTES) {
      log(`${name} is too large for Telegram.`);
      continue;
    }
    const [result] = await context.db
      .select({ fileKey: jobResults.fileKey })
      .from(jobResults)
      .where(and(eq(jobResults.jobId, id), eq(jobResults.name, name)));
    if (!result) throw new Error(`The result ${name} is gone.`);
    const answer = await ports.telegram.sendFile(chatId, {
      key: `report:${id}:${name}`,
      ...result,
      name,
      caption: title,
    });
    if (answer === "refused") log(`The chat did not take ${name}.`);
    else taken += 1;
  }
  return taken;
}
