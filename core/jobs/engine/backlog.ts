import { type SQL, sql } from "drizzle-orm";
import { JOB_LOG_LINES } from "../job.ts";
import type { WrittenStep } from "./job-lease.ts";
import type { LogLine } from "./job-report.ts";

/** What is written with the next statement about the job, in place of by one of its own. */
export interface Backlog {
  lines: readonly LogLine[];
  /** Steps that are done, one behind the other. */
  steps: readonly DoneStep[];
}

export type DoneStep = Omit<WrittenStep, "state">;

/** How the job's row changes with it, as assignments. */
export function backlogSet({ lines, steps }: Backlog): SQL {
  const last = steps.at(-1);
  const after = last ? sql`, steps = greatest(steps, ${last.position + 1}::integer)` : sql``;
  return sql`log_lines = log_lines + ${lines.length}::integer${after}`;
}

/** What holds for the job's row before it: no step is further than the first one, or all were written by a statement of which nobody heard. */
export function backlogFits({ steps }: Backlog): SQL {
  const [first] = steps;
  if (!first) return sql`true`;
  return sql`steps BETWEEN ${first.position}::integer AND ${first.position + steps.length}::integer`;
}

/** The rows of it, as parts of a statement that has the changed row of the job, with `log_lines` and `attempt`, in `held`. */
export function backlogRows({ lines, steps }: Backlog): SQL {
  const ofLines = sql`, added AS (
      INSERT INTO job_log_lines (job_id, number, attempt, message, at)
      SELECT held.id, held.log_lines - ${lines.length}::integer + line.number, held.attempt, line.text ->> 'message',
        to_timestamp((line.text ->> 'at')::double precision / 1000)
      FROM held, jsonb_array_elements(${JSON.stringify(lines)}::jsonb) WITH ORDINALITY AS line (text, number)
    ), dropped AS (
      DELETE FROM job_log_lines USING held
      WHERE job_id = held.id AND number <= held.log_lines - ${JOB_LOG_LINES}::integer
    )`;
  const ofSteps = sql`, finished AS (
      INSERT INTO job_steps (job_id, position, name, kind, state, kept, count, attempt, started_at, finished_at)
      SELECT held.id, step.position, step.name, step.kind, 'done', step.kept::json, step.count, held.attempt,
        now() - make_interval(secs => step."elapsedMs" / 1000), now()
      FROM held, jsonb_to_recordset(${JSON.stringify(steps)}::jsonb)
        AS step (position integer, name text, kind text, kept text, count integer, "elapsedMs" double precision)
      ON CONFLICT (job_id, position) DO UPDATE SET state = excluded.state, kept = excluded.kept,
        count = excluded.count, attempt = excluded.attempt, finished_at = excluded.finished_at
    )`;
  return sql`${lines.length > 0 ? ofLines : sql``}${steps.length > 0 ? ofSteps : sql``}`;
}
