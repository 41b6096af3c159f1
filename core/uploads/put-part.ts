import { uploadParts } from "#schema";
import type { Context } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import { exactly, type ReceivedBody } from "./receive-body.ts";
import {
  partBytes,
  partCount,
  reachUpload,
  type Upload,
  uploadKey,
  type UploadPorts,
} from "./upload.ts";

export interface PutPartInput {
  uploadId: string;
  /** From 1. */
  number: number;
  body: ReceivedBody | null;
}

export interface PutPart {
  number: number;
  size: number;
}

/**
 * Stores a part of an upload; parts come in any order, several at once, and again: the last one counts.
 * @throws AppError `missing_scope`, `not_found`, `conflict` for an upload that is complete or has no parts,
 * `validation_failed` for a number or a size that it does not have
 */
export async function putPart(
  context: Context,
  { files }: UploadPorts,
  { uploadId, number, body }: PutPartInput,
): Promise<PutPart> {
  const upload = openParts(await reachUpload(context, uploadId));
  const count = partCount(upload);
  if (number < 1 || number > count) {
    throw new AppError("validation_failed", {
      message: `This upload has the parts 1 to ${count}.`,
      fields: [{ path: "n", message: `must be 1 to ${count}` }],
    });
  }
  const size = partBytes(upload, number);
  const { stream, fault } = exactly(body ?? { stream: new Blob([]).stream(), length: 0 }, size);
  const part = await files
    .putPart(uploadKey(upload), upload.partsId, number, stream, size)
    .catch((error: unknown) => {
      throw fault() ?? error;
    });
  const row = { size, etag: part.etag, storedAt: context.now() };
  await context.db
    .insert(uploadParts)
    .values({ uploadId, number, ...row })
    .onConflictDoUpdate({ target: [uploadParts.uploadId, uploadParts.number], set: row });
  return { number, size };
}

/** The upload as one that takes parts. @throws AppError `conflict` */
export function openParts(
  upload: Upload,
): Upload & { size: number; partSize: number; partsId: string } {
  const { state, size, partSize, partsId } = upload;
  if (state === "open" && size !== null && partSize !== null && partsId !== null) {
    return { ...upload, size, partSize, partsId };
  }
  throw new AppError("conflict", {
    message:
      state === "complete"
        ? `The upload ${upload.id} is complete, and takes no more parts.`
        : `The upload ${upload.id} comes in one request, not in parts.`,
  });
}
