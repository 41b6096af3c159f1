import type { FileStore } from "../files/file-store.ts";
import { JobFailure } from "../jobs/job-type.ts";
import type { Context } from "../kernel/context.ts";
import { AppError, type ErrorCode } from "../kernel/errors.ts";
import { fileSource } from "../tables/file-source.ts";
import { openTable, type Table, type TablePosition } from "../tables/table.ts";
import { reachUpload, requireComplete, type Upload, uploadKey } from "./upload.ts";

/** The upload that a job works with. @throws JobFailure where it is not there, or has not come as a whole */
export function uploadOfJob(context: Context, uploadId: string): Promise<Upload> {
  return orFailure(async () => requireComplete(await reachUpload(context, uploadId)));
}

/** Opens an upload as the table that it is. A null `sheet` is all of them. @throws AppError as openTable and fileSource do */
export async function openUploadedTable(
  files: FileStore,
  upload: Upload,
  { sheet, batchBytes }: { sheet: string | null; batchBytes: number },
): Promise<Table> {
  return openTable(await fileSource(files, uploadKey(upload)), {
    batchBytes,
    ...(sheet === null ? {} : { sheet }),
  });
}

/** What is wrong with a file: it stays so however often it is read. */
const WRONG: ReadonlySet<ErrorCode> = new Set([
  "validation_failed",
  "unsupported_media_type",
  "not_found",
  "conflict",
]);

/** Work with a job's file, whose faults end the job at once. @throws JobFailure */
export async function orFailure<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError && WRONG.has(error.code))
      throw new JobFailure(error.message, { cause: error });
    throw error;
  }
}

/** How many rows a file probably has, by how much of it is read; null for a workbook, whose places are rows. */
export function rowsExpected(
  { rows, position }: { rows: number; position: TablePosition | null },
  { size }: Upload,
): number | null {
  if (position?.format !== "csv" || size === null) return null;
  return Math.max(rows, Math.round((rows * size) / Math.max(1, position.byte)));
}
