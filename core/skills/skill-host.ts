import type { GatewayPorts } from "../gateway/model-call.ts";
import type { JobDetails } from "../jobs/job.ts";
import type { JobDesk } from "../jobs/job-ports.ts";
import type { SkillPorts } from "./skill.ts";

/** What the doors of skills reach the world by, for one request. */
export interface SkillHost {
  ports: SkillPorts;
  /** How jobs are made. */
  jobDesk: JobDesk;
  /** Waits for a job's end. @returns the job as it is then, ended or not */
  awaitJob(job: { id: string; teamId: string }, milliseconds: number): Promise<JobDetails>;
  /** How uses are limited, and told to the team's Meter. */
  gateway: Pick<GatewayPorts, "admit" | "report" | "now">;
  /**
   * Names of skills that the team has switched off, at most a second out of date. A promise comes back only where
   * something has to be waited for.
   * @throws AppError `unavailable`
   */
  skillsOff(teamId: string): readonly string[] | Promise<readonly string[]>;
  /** @throws AppError `read_only` while changes are switched off */
  refuseChanges(): void;
}
