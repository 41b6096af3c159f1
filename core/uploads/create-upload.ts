import { and, count, eq } from "drizzle-orm";
import { z } from "zod";
import { uploads } from "#schema";
import type { TransactionContext } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import { newId } from "../kernel/ids.ts";
import { isForeignKeyViolation } from "../kernel/postgres-errors.ts";
import { actorName, requireScope, requireTeam } from "../kernel/principal.ts";
import {
  OPEN_MS,
  OPEN_UPLOADS,
  PART_BYTES,
  type Upload,
  UPLOAD_BYTES,
  uploadContentType,
  uploadKey,
  uploadName,
  type UploadPorts,
} from "./upload.ts";

export const createUploadInput = z.strictObject({
  name: uploadName.describe("As you call the file"),
  size: z
    .int()
    .min(1)
    .max(UPLOAD_BYTES, "must be 1 GiB at most")
    .describe("Bytes of the whole file; 1 GiB at most"),
  content_type: uploadContentType.default("application/octet-stream"),
});

/**
 * Begins a file that comes in parts. Runs in the caller's transaction.
 * @throws AppError `missing_scope` without `jobs`, `rate_limit_exceeded` when too many of the team's are unfinished
 */
export async function createUpload(
  context: TransactionContext,
  { files }: UploadPorts,
  input: z.infer<typeof createUploadInput>,
): Promise<Upload> {
  const upload = await insertUpload(context, {
    name: input.name,
    contentType: input.content_type,
    size: input.size,
    partSize: PART_BYTES,
  });
  const partsId = await files.startParts(uploadKey(upload), upload.contentType);
  await context.db.update(uploads).set({ partsId }).where(eq(uploads.id, upload.id));
  return { ...upload, partsId };
}

/**
 * The row of a file before its first byte is stored, so that none is in the store of which nobody knows.
 * @throws as createUpload
 */
export async function insertUpload(
  context: Pick<TransactionContext, "principal" | "db" | "now">,
  facts: { name: string; contentType: string; size: number | null; partSize: number | null },
): Promise<Upload> {
  const { principal } = context;
  requireScope(principal, "jobs");
  const teamId = requireTeam(principal);
  const [open] = await context.db
    .select({ count: count() })
    .from(uploads)
    .where(and(eq(uploads.teamId, teamId), eq(uploads.state, "open")));
  if ((open?.count ?? 0) >= OPEN_UPLOADS) throw tooManyOpen();
  const now = context.now();
  const row = {
    id: newId("upload", now.getTime()),
    teamId,
    ...facts,
    state: "open" as const, // else its type would be any text
    createdBy: actorName(principal),
    createdAt: now,
    expiresAt: new Date(now.getTime() + OPEN_MS),
  };
  try {
    const [upload] = await context.db.insert(uploads).values(row).returning();
    if (upload) return upload;
  } catch (error) {
    if (!isForeignKeyViolation(error)) throw error;
    throw new AppError("not_found", { message: `There is no team ${teamId}.` });
  }
  throw new AppError("internal_error", { message: "The upload was not stored. Try again." });
}

function tooManyOpen(): AppError {
  return new AppError("rate_limit_exceeded", {
    message: `This team has ${OPEN_UPLOADS} unfinished uploads. Complete or delete some; they end by themselves after a day.`,
    retryAfterSeconds: 60,
  });
}
