import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Context } from "../../kernel/context.ts";
import { rowsOf } from "../../kernel/sql-rows.ts";
import type { FileStore } from "../../files/file-store.ts";
import { isPlainText } from "../../kernel/text.ts";
import { JobFailure, type JobRun } from "../job-type.ts";
import { resultUrl } from "../job.ts";
import { type JobLease, LeaseLost } from "./job-lease.ts";

const NAME_LENGTH = 200;
/** Files of one job. */
const RESULTS = 100;

const savedRow = z.object({ replaced: z.string().nullable(), full: z.boolean() });

/**
 * Stores a file and then the row that names it. Each claim of a job writes under keys of its own: a process that was
 * taken to be dead cannot overwrite the file of the one that works now, and gets no row.
 * @throws JobFailure for a name that cannot be one
 */
export async function saveResult(
  context: Pick<Context, "db">,
  files: FileStore,
  lease: JobLease,
  file: Parameters<JobRun<unknown>["saveResult"]>[0],
): Promise<{ url: string; size: number }> {
  const { name, contentType, body } = file;
  if (!isPlainText(name) || name === "" || name.length > NAME_LENGTH || /[/\\]|^\.+$/.test(name))
    throw new JobFailure(`"${name}" cannot be the name of a result.`);
  const { id, teamId, fence } = lease.job;
  const key = `${teamId}/jobs/${id}/${fence}/${name}`;
  const { size } = await files.put(key, body, { contentType });
  const rows = await context.db.execute(sql`
    WITH held AS (
      SELECT id FROM jobs WHERE id = ${id} AND fence = ${fence} AND state = 'running' AND lease_until IS NOT NULL
      FOR UPDATE
    ), earlier AS (
      SELECT file_key FROM job_results WHERE job_id = ${id} AND name = ${name}
    ), room AS (
      SELECT id FROM held
      WHERE (SELECT count(*) FROM job_results WHERE job_id = ${id} AND name <> ${name}) < ${RESULTS}
    ), saved AS (
      INSERT INTO job_results (job_id, name, file_key, size, content_type)
      SELECT id, ${name}, ${key}, ${size}, ${contentType} FROM room
      ON CONFLICT (job_id, name) DO UPDATE
      SET file_key = excluded.file_key, size = excluded.size, content_type = excluded.content_type, created_at = now()
    )
    SELECT (SELECT file_key FROM earlier) AS replaced, NOT EXISTS (SELECT 1 FROM room) AS full FROM held`);
  const [saved] = rowsOf(savedRow, rows);
  if (!saved || saved.full) await files.delete([key]);
  if (!saved) throw new LeaseLost(`${id} is somebody else's`);
  if (saved.full) throw new JobFailure(`A job may have ${RESULTS} results.`);
  if (saved.replaced !== null && saved.replaced !== key) await files.delete([saved.replaced]);
  const url = resultUrl(id, name);
  lease.report.tell({ kind: "result", name, contentType, size, url });
  return { url, size };
}
