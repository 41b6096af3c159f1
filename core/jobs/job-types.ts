import { AppError } from "../kernel/errors.ts";
import type { JobType } from "./job-type.ts";
import { importCampaignData } from "../campaigns/import/import-type.ts";
import { campaignReport, excelReport, pdfReport } from "../reports/jobs/report-job-types.ts";
import { decodeVinFile } from "../vin/files/decode-vin-file-type.ts";
import { runSkill } from "../skills/job/run-skill-type.ts";
import { selfTest } from "./self-test/self-test-type.ts";

/** Every type of job. A new one is a line here, and its program a line in programs.ts. */
export const JOB_TYPES: readonly JobType[] = [
  selfTest,
  importCampaignData,
  campaignReport,
  pdfReport,
  excelReport,
  decodeVinFile,
  runSkill,
];

/**
 * The type of this name.
 * @throws AppError `validation_failed`, with the names there are
 */
export function jobTypeNamed(name: string): JobType {
  const type = JOB_TYPES.find((known) => known.name === name);
  if (type) return type;
  const names = JOB_TYPES.map((known) => known.name).join(", ");
  throw new AppError("validation_failed", {
    message: `There is no type of jobs of this name. There are: ${names}.`,
    fields: [{ path: "type", message: `must be one of ${names}` }],
  });
}
