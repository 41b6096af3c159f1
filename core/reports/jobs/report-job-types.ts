import { z } from "zod";
import { LONGEST_DAYS } from "../../campaigns/metrics/period.ts";
import type { JobType } from "../../jobs/job-type.ts";
import { isId } from "../../kernel/ids.ts";
import { line } from "../../kernel/text.ts";
import { REPORT_LANGUAGES } from "../report.ts";

/** Campaigns that one report may name; `all` has no limit. */
const MOST_CAMPAIGNS = 500;
const TITLE_LENGTH = 200;

const campaignId = z.string().refine((id) => isId("campaign", id), "must be a campaign's id");
const day = z.iso.date({ error: "must be a day such as 2026-11-21" });

/** Whether the first day is not after the last one, as far as both are said. */
export function isInOrder({ from, to }: { from?: string | undefined; to?: string | undefined }) {
  return from === undefined || to === undefined || from <= to;
}
export const NOT_IN_ORDER = { path: ["from"], message: "must not be after to" };

export const reportInput = z
  .strictObject({
    campaigns: z
      .union([z.literal("all"), z.array(campaignId).min(1).max(MOST_CAMPAIGNS)])
      .default("all")
      .describe("`all`, or the ids of some"),
    from: day.optional().describe("The first day, included; without it `days` before `to`"),
    to: day
      .optional()
      .describe("The last day, included; without it the last day with data, as schedules want it"),
    days: z
      .number()
      .int()
      .min(1)
      .max(LONGEST_DAYS)
      .default(30)
      .describe("How many days, where `from` is not said"),
    language: z.enum(REPORT_LANGUAGES).default("en"),
    title: line(TITLE_LENGTH).nullable().default(null).describe("Without one, one of the period"),
    send_to: z
      .strictObject({
        telegram_chat: z
          .number()
          .int()
          .describe("A chat that is linked to the team; gets the files as documents"),
      })
      .nullable()
      .default(null),
  })
  .refine(isInOrder, NOT_IN_ORDER);
export type ReportInput = z.output<typeof reportInput>;

export const reportResult = z.object({
  title: z.string(),
  period: z.object({ from: z.string(), to: z.string() }),
  language: z.enum(REPORT_LANGUAGES),
  files: z.array(
    z.object({
      name: z.string(),
      url: z.string().describe("Relative to the service"),
      content_type: z.string(),
      size: z.number().int().describe("Bytes"),
    }),
  ),
  /** How many files Telegram was given; null where nobody asked for it. */
  sent_to_telegram: z.number().int().nullable(),
});
export type ReportResult = z.output<typeof reportResult>;

type ReportJobType = JobType<ReportInput, ReportResult>;

const shared = {
  scope: "skills",
  skill: "campaigns.report",
  input: reportInput,
  result: reportResult,
  // A report is all CPU: more of one team's at once would only make each slower.
  concurrency: { team: 3 },
} as const;

export const campaignReport: ReportJobType = {
  ...shared,
  name: "generate_campaign_report",
  summary: "Reports on campaigns: as JSON for programs, and as a page for people.",
};

export const pdfReport: ReportJobType = {
  ...shared,
  name: "generate_pdf_report",
  summary: "Reports on campaigns as a PDF that can be sent to a client, in English or Persian.",
};

export const excelReport: ReportJobType = {
  ...shared,
  name: "generate_excel_report",
  summary:
    "Reports on campaigns as an Excel workbook, with real numbers and charts, in English or Persian.",
};
