import { z } from "zod";
import type { JobType } from "../../jobs/job-type.ts";

export const vinFileOptions = z.strictObject({
  vin_column: z
    .string()
    .trim()
    .min(1)
    .max(300)
    .nullable()
    .default(null)
    .describe(
      "The name of the column of the VINs, or its number from 1; found by itself otherwise",
    ),
  sheet: z.string().max(200).nullable().default(null).describe("Only this sheet of a workbook"),
});

const input = vinFileOptions.extend({
  upload_id: z.string().max(100).describe("A complete upload, CSV or XLSX"),
});

const result = z.object({
  rows: z.int().describe("Rows below the headers"),
  vins: z.int().describe("Those that are VINs"),
  known: z.int().describe("Those of them whose make and model are told"),
  wrong: z.int().describe("Rows whose VIN is none, with the reason in vin_problem"),
  empty: z.int().describe("Rows without a VIN"),
  file: z.string().describe("The name of the result: the same file with columns added"),
  url: z.string(),
});

export type VinFileInput = z.output<typeof input>;
export type VinFileResult = z.output<typeof result>;

/** Reads the VINs of a file and adds what they say as columns. */
export const decodeVinFile: JobType<VinFileInput, VinFileResult> = {
  name: "decode_vin_file",
  summary:
    "Reads the vehicle identification numbers of an uploaded CSV or XLSX file; the result is the same file with make, model, year and more added as columns.",
  scope: "skills",
  skill: "vin.decode",
  input,
  result,
  concurrency: { team: 2 },
};
