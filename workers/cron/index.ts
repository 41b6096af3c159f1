import { JOB_PROGRAMS } from "#core/jobs/programs.ts";
import { cronWorker } from "./cron-worker.ts";

export default cronWorker(JOB_PROGRAMS);
