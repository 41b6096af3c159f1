import { and, eq } from "drizzle-orm";
import { z } from "zod";
import { uploads } from "#schema";
import type { FileStore } from "../files/file-store.ts";
import type { Context } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import {
  actorName,
  isAppUser,
  type Principal,
  requireScope,
  teamScope,
} from "../kernel/principal.ts";

/** An upload as it is stored. */
export type Upload = typeof uploads.$inferSelect;

/** What verbs of uploads need besides the database. */
export interface UploadPorts {
  files: FileStore;
}

const MEBIBYTE = 1_048_576;
/** Of a file in one request, in bytes: the platform ends requests at 100 MB. */
export const ONE_REQUEST_BYTES = 95 * MEBIBYTE;
/** Of a file in parts, in bytes. */
export const UPLOAD_BYTES = 1_024 * MEBIBYTE;
/** The store wants 5 MiB at least; smaller parts cost less when a connection breaks. */
export const PART_BYTES = 16 * MEBIBYTE;
/** Uploads of a team that are coming at once. */
export const OPEN_UPLOADS = 100;

const DAY_MS = 86_400_000;
/** For how long an upload may stay unfinished, and how long a file is kept, in milliseconds. */
export const OPEN_MS = DAY_MS;
export const KEPT_MS = 30 * DAY_MS;

export const uploadName = z
  .string()
  .trim()
  .min(1)
  .max(255)
  .regex(/^\P{Cc}*$/u, "may have no control characters");
export const uploadContentType = z
  .string()
  .trim()
  .max(200)
  .regex(/^[\w.+-]+\/[\w.+-]+(\s*;.*)?$/, "must be a media type such as text/csv");

/** Where the bytes of an upload are in the store. */
export const uploadKey = ({ teamId, id }: Pick<Upload, "teamId" | "id">): string =>
  `${teamId}/uploads/${id}`;

/** How many parts a file has. */
export const partCount = ({ size, partSize }: { size: number; partSize: number }): number =>
  Math.max(1, Math.ceil(size / partSize));

/** Bytes that a part must have: all the same, and the last one the rest. */
export function partBytes(upload: { size: number; partSize: number }, number: number): number {
  return number < partCount(upload)
    ? upload.partSize
    : upload.size - (partCount(upload) - 1) * upload.partSize;
}

/**
 * An upload that the principal may touch: the team's, and of an app's user only what they sent.
 * @param options.lock holds its row until the transaction's end
 * @throws AppError `missing_scope`, `not_found`
 */
export async function reachUpload(
  context: Pick<Context, "principal" | "db">,
  uploadId: string,
  { lock = false }: { lock?: boolean } = {},
): Promise<Upload> {
  const { principal } = context;
  requireScope(principal, "jobs");
  const query = context.db
    .select()
    .from(uploads)
    .where(and(eq(uploads.id, uploadId), visibleTo(principal)));
  const [upload] = await (lock ? query.for("update") : query);
  if (!upload) throw new AppError("not_found", { message: `There is no upload ${uploadId}.` });
  return upload;
}

function visibleTo(principal: Principal) {
  const teamId = teamScope(principal);
  return and(
    teamId === null ? undefined : eq(uploads.teamId, teamId),
    isAppUser(principal) ? eq(uploads.createdBy, actorName(principal)) : undefined,
  );
}

/** @throws AppError `conflict` for an upload that has not come as a whole */
export function requireComplete(upload: Upload): Upload {
  if (upload.state === "complete") return upload;
  throw new AppError("conflict", {
    message:
      upload.partSize === null
        ? `The upload ${upload.id} has not come to its end. Send the file again.`
        : `The upload ${upload.id} is not complete. Send its parts, then POST /v1/uploads/${upload.id}/complete.`,
  });
}
