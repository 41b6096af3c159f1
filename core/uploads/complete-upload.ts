import { asc, eq } from "drizzle-orm";
import { uploadParts, uploads } from "#schema";
import type { FileFacts, FileStore } from "../files/file-store.ts";
import type { Context, TransactionContext } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import { openParts } from "./put-part.ts";
import {
  KEPT_MS,
  partBytes,
  partCount,
  reachUpload,
  type Upload,
  uploadKey,
  type UploadPorts,
} from "./upload.ts";

type Part = typeof uploadParts.$inferSelect;
/** Numbers of missing parts that an error lists. */
const LISTED = 20;

/**
 * Makes one file of the parts. Doing it again, also after an answer that was lost, gives the same.
 * @throws AppError `missing_scope`, `not_found`, `conflict` with the parts that are missing
 */
export async function completeUpload(
  context: Context,
  { files }: UploadPorts,
  uploadId: string,
): Promise<Upload> {
  const upload = await reachUpload(context, uploadId);
  if (upload.state === "complete" && upload.partSize !== null) return upload;
  const open = openParts(upload);
  const parts = await context.db
    .select()
    .from(uploadParts)
    .where(eq(uploadParts.uploadId, uploadId))
    .orderBy(asc(uploadParts.number));
  requireAll(open, parts);
  const facts = await join(files, open, parts);
  return context.transaction((inner) => markComplete(inner, uploadId, facts));
}

/** The upload as complete, with what the store says of it. */
export async function markComplete(
  context: TransactionContext,
  uploadId: string,
  facts: FileFacts,
): Promise<Upload> {
  const before = await reachUpload(context, uploadId, { lock: true });
  if (before.state === "complete") return before;
  const now = context.now();
  const [after] = await context.db
    .update(uploads)
    .set({
      state: "complete",
      size: facts.size,
      etag: facts.etag,
      completedAt: now,
      expiresAt: new Date(now.getTime() + KEPT_MS),
    })
    .where(eq(uploads.id, uploadId))
    .returning();
  if (!after) throw new AppError("not_found", { message: `There is no upload ${uploadId}.` });
  return after;
}

function requireAll(upload: { size: number; partSize: number }, parts: readonly Part[]): void {
  const came = new Map(parts.map((part) => [part.number, part.size]));
  const missing: number[] = [];
  for (let number = 1; number <= partCount(upload); number += 1) {
    if (came.get(number) !== partBytes(upload, number)) missing.push(number);
  }
  if (missing.length === 0) return;
  const listed = missing.slice(0, LISTED).join(", ");
  const more = missing.length > LISTED ? ` and ${missing.length - LISTED} more` : "";
  throw new AppError("conflict", {
    message: `Parts are missing: ${listed}${more} of ${partCount(upload)}. Send them, then complete the upload.`,
  });
}

/** Joins the parts in the store. It may have been done by a request whose answer was lost. */
async function join(
  files: FileStore,
  upload: Upload & { size: number; partsId: string },
  parts: readonly Part[],
): Promise<FileFacts> {
  const key = uploadKey(upload);
  try {
    return await files.completeParts(key, upload.partsId, parts);
  } catch (error) {
    const facts = await files.head(key);
    if (facts?.size === upload.size) return facts;
    throw new AppError("conflict", {
      message:
        "The store did not take the parts, as when one was sent twice at the same time. Send the parts again, or begin anew.",
      cause: error,
    });
  }
}
