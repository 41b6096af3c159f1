import { importCampaignDataProgram } from "../campaigns/import/import-program.ts";
import type { JobProgram } from "./job-type.ts";
import { REPORT_PROGRAMS } from "../reports/jobs/report-programs.ts";
import { decodeVinFileProgram } from "../vin/files/decode-vin-file.ts";
import { runSkillProgram } from "../skills/job/run-skill.ts";
import { selfTestProgram } from "./self-test/run-self-test.ts";

/** How each type of job is done, one program a type. The cron Worker alone imports it: programs are heavy. */
export const JOB_PROGRAMS: readonly JobProgram[] = [
  selfTestProgram,
  importCampaignDataProgram,
  ...REPORT_PROGRAMS,
  decodeVinFileProgram,
  runSkillProgram,
];
