import { asc, eq } from "drizzle-orm";
import { uploadParts } from "#schema";
import type { Context } from "../kernel/context.ts";
import { reachUpload, type Upload } from "./upload.ts";

/** An upload with the parts that have come. */
export interface UploadDetails extends Upload {
  parts: { number: number; size: number }[];
}

/** @throws AppError `missing_scope`, `not_found` */
export async function getUpload(context: Context, uploadId: string): Promise<UploadDetails> {
  const upload = await reachUpload(context, uploadId);
  const parts = await context.db
    .select({ number: uploadParts.number, size: uploadParts.size })
    .from(uploadParts)
    .where(eq(uploadParts.uploadId, uploadId))
    .orderBy(asc(uploadParts.number));
  return { ...upload, parts };
}
