import { eq } from "drizzle-orm";
import { uploads } from "#schema";
import type { Context } from "../kernel/context.ts";
import { reachUpload, type Upload, uploadKey, type UploadPorts } from "./upload.ts";

/**
 * Deletes an upload with its file, finished or not. What a job has made of it stays.
 * @throws AppError `missing_scope`, `not_found`
 */
export async function deleteUpload(
  context: Context,
  ports: UploadPorts,
  uploadId: string,
): Promise<void> {
  const upload = await reachUpload(context, uploadId);
  await eraseFile(ports, upload);
  await context.db.delete(uploads).where(eq(uploads.id, uploadId));
}

/** Takes the bytes away first: a row without a file is told and removed again, a file without a row stays for ever. */
export async function eraseFile({ files }: UploadPorts, upload: Upload): Promise<void> {
  const key = uploadKey(upload);
  if (upload.state === "open" && upload.partsId !== null) {
    // It may have been joined or ended by a request that died before it said so.
    await files.abortParts(key, upload.partsId).catch(() => undefined);
  }
  await files.delete([key]);
}
