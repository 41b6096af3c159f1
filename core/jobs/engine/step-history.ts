import { sql } from "drizzle-orm";
import { z } from "zod";
import { JOB_STEP_KINDS } from "#schema";
import type { Context } from "../../kernel/context.ts";
import { rowsOf } from "../../kernel/sql-rows.ts";
import type { Json } from "../job-type.ts";
import type { JobStep } from "../job.ts";

/** Results up to this size are read with the history, in bytes; larger ones when their step is asked for. */
const READ_AT_ONCE = 16 * 1024;

const stepRow = z.object({
  name: z.string(),
  kind: z.enum(JOB_STEP_KINDS),
  state: z.enum(["open", "done", "failed"]),
  count: z.number(),
  /** Text of JSON; null where it was left out. */
  kept: z.string().nullable(),
});

/** A step that an earlier run of the program has begun or done. */
export interface KeptStep {
  position: number;
  name: string;
  kind: JobStep["kind"];
  state: JobStep["state"];
  count: number;
  kept(): Promise<Json>;
}

/** What a job has done so far, in order. */
export async function readHistory(
  { db }: Pick<Context, "db">,
  job: { id: string; steps: number },
): Promise<KeptStep[]> {
  if (job.steps === 0) return [];
  const rows = await db.execute(sql`
    SELECT name, kind, state, count,
      CASE WHEN octet_length(coalesce(kept, 'null')::text) <= ${READ_AT_ONCE} THEN coalesce(kept, 'null')::text END AS kept
    FROM job_steps WHERE job_id = ${job.id} ORDER BY position`);
  return rowsOf(stepRow, rows).map((row, position) => ({
    ...row,
    position,
    kept: async () => JSON.parse(row.kept ?? (await readKept({ db }, job.id, position))) as Json, // written by us from a value of this type
  }));
}

async function readKept(
  { db }: Pick<Context, "db">,
  jobId: string,
  position: number,
): Promise<string> {
  const rows = await db.execute(sql`
    SELECT coalesce(kept, 'null')::text AS kept FROM job_steps
    WHERE job_id = ${jobId} AND position = ${position}`);
  return rowsOf(z.object({ kept: z.string() }), rows)[0]?.kept ?? "null";
}
