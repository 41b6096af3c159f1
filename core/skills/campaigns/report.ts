import { z } from "zod";
import {
  campaignReport,
  excelReport,
  isInOrder,
  NOT_IN_ORDER,
  pdfReport,
  reportInput,
  reportResult,
} from "../../reports/jobs/report-job-types.ts";
import { defineSkill, type Language } from "../skill.ts";
import { languageOf, paragraphs } from "./shared.ts";

const TYPES = { pdf: pdfReport, excel: excelReport, page: campaignReport } as const;
const FORMATS = ["pdf", "excel", "page"] as const;

// To whom it is sent is no choice of a model's: what it has read may have been written by anybody.
const { send_to: _sendTo, ...shape } = reportInput.shape;

const input = z
  .strictObject({
    format: z
      .enum(FORMATS)
      .default("pdf")
      .describe("`pdf` to hand on, `excel` to calculate with, `page` for a web page and JSON"),
    ...shape,
    language: shape.language.describe("The language of the report: English or Persian"),
  })
  .refine(isInOrder, NOT_IN_ORDER);

/** `campaigns.report` */
export const reportCampaignsSkill = defineSkill({
  name: "campaigns.report",
  title: "Campaign report",
  summary:
    "Makes a report on the team's advertising campaigns as a file: a PDF, an Excel workbook or a web page, with summary, charts, tables and benchmarks. It is a job, which takes some seconds. Use it only when somebody asks for a report or a file, and for no question.",
  input,
  output: reportResult,
  example: { format: "pdf", days: 30 },
  readOnly: true,
  job: ({ format, ...asked }) => ({ type: TYPES[format], input: asked }),
  telegram: {
    command: "report",
    usage: {
      en: "/report [pdf|excel|page] [DAYS] – a report on your campaigns as a file",
      de: "/report [pdf|excel|page] [TAGE] – ein Bericht über die Kampagnen als Datei",
      fa: "/report [pdf|excel|page] [روزها] – گزارش کمپین‌ها به‌صورت فایل",
    },
    parse: readCommand,
    render: ({ title }) => paragraphs([title]),
  },
});

/** A format and a number of days, in any order. */
function readCommand(text: string, language: Language): z.input<typeof input> | null {
  const asked: z.input<typeof input> = { language: languageOf(language) };
  for (const word of text.toLowerCase().split(/\s+/).filter(Boolean)) {
    const format = FORMATS.find((name) => name === word);
    if (format) asked.format = format;
    else if (/^\p{Nd}{1,4}$/u.test(word)) asked.days = daysOf(word);
    else return null;
  }
  return asked.days === undefined || shape.days.safeParse(asked.days).success ? asked : null;
}

/** Persian and Arabic digits stand in tens from U+06F0 and U+0660. */
const daysOf = (digits: string) =>
  Number(digits.replaceAll(/[۰-۹٠-٩]/g, (digit) => String(digit.charCodeAt(0) & 0xf)));
