import { z } from "zod";
import type { JobType } from "../../jobs/job-type.ts";
import { isCurrency } from "./column-names.ts";
import { FIELDS } from "./field.ts";

/** What somebody who knows a file may say of it; what is not said is found out. */
export const importOptions = z.strictObject({
  mapping: z
    .partialRecord(z.enum(FIELDS), z.string().min(1).max(300))
    .default({})
    .describe("Names of the file's columns, by what they are to be read as"),
  platform: z
    .string()
    .trim()
    .min(1)
    .max(60)
    .nullable()
    .default(null)
    .describe("Of rows that name none, such as `google_ads`, `meta`, `tiktok`, `linkedin`"),
  currency: z
    .string()
    .trim()
    .toUpperCase()
    .refine((code) => isCurrency(code) && code !== "XXX", "must be a currency of ISO 4217")
    .nullable()
    .default(null)
    .describe("Of rows that name none"),
  day_order: z.enum(["dmy", "mdy"]).nullable().default(null).describe("How 03/04/2026 is meant"),
  decimal_mark: z.enum([".", ","]).nullable().default(null).describe("How 1.234 is meant"),
  sheet: z.string().max(200).nullable().default(null).describe("Only this sheet of a workbook"),
});

export const importInput = importOptions.extend({
  upload_id: z.string().max(100).describe("A complete upload"),
});

export type ImportInput = z.output<typeof importInput>;

export const importResult = z.object({
  rows: z.int().describe("Rows below the headers"),
  accepted: z.int(),
  rejected: z.int().describe("Rows that were set aside, those of totals among them"),
  campaigns: z.int().describe("Campaigns that the file names"),
  rejected_url: z
    .string()
    .nullable()
    .describe("A CSV file with the line, the reason and the cells of each row that was set aside"),
  unchanged: z.boolean().describe("The file was imported before, so nothing was changed"),
});

export type ImportResult = z.output<typeof importResult>;

/** Brings the advertising data of an upload into the team's campaigns. */
export const importCampaignData: JobType<ImportInput, ImportResult> = {
  name: "import_campaign_data",
  summary:
    "Reads an uploaded CSV or XLSX export of Google Ads, Meta, TikTok, LinkedIn or a plain sheet into the team's campaigns.",
  scope: "jobs",
  input: importInput,
  result: importResult,
  // Two files that say something of the same day must not take turns; the later one is the truth.
  concurrency: { team: 1 },
};
