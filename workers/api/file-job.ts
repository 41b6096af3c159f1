import { createJob } from "#core/jobs/create-job.ts";
import type { JobType, Json } from "#core/jobs/job-type.ts";
import type { TransactionContext } from "#core/kernel/context.ts";
import { AppError } from "#core/kernel/errors.ts";
import { markComplete } from "#core/uploads/complete-upload.ts";
import type { AppContext } from "./app-types.ts";
import { encodeNewJob, jobSchema } from "./job-shape.ts";
import { isJson } from "./middleware/body-limit.ts";
import { type Created, idempotent } from "./middleware/idempotent.ts";
import { z } from "./openapi.ts";
import { forgetFile, type ReceivedFile } from "./receive-file.ts";

export const fileJobAnswer = z.object({ upload_id: z.string(), job: jobSchema });
export type FileJobAnswer = z.infer<typeof fileJobAnswer>;

const binary = { schema: { type: "string" as const, format: "binary" } }; // else its type would be any text

/** What a request may bring besides JSON: a table as the field `file` of a form, or as the whole body. */
export const fileContents = {
  "multipart/form-data": {
    schema: {
      type: "object" as const, // as above
      required: ["file"],
      properties: { file: { type: "string" as const, format: "binary" } }, // as above
    },
  },
  "text/csv": binary,
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": binary,
  "application/octet-stream": binary,
};

/**
 * The request's body where it is JSON, in place of a file.
 * @returns null where it is none
 * @throws AppError `invalid_json`
 */
export async function jsonInPlaceOfFile(c: AppContext): Promise<{ json: unknown } | null> {
  if (!isJson(c.req.header("content-type") ?? null)) return null;
  try {
    return { json: await c.req.json<unknown>() };
  } catch (cause) {
    throw new AppError("invalid_json", { message: "The body is not valid JSON.", cause });
  }
}

/** Makes a job over an upload, in the caller's transaction. */
export async function makeFileJob<Input extends { upload_id: string }, Result extends Json>(
  c: AppContext,
  context: TransactionContext,
  { type, input }: { type: JobType<Input, Result>; input: Input },
): Promise<Created<FileJobAnswer>> {
  const { job } = await createJob(context, c.get("deps").jobDesk, { type, input });
  return { status: 202, body: { upload_id: input.upload_id, job: encodeNewJob(job) } };
}

/**
 * Makes a job over a file that a request has brought. With an Idempotency-Key the same file and options give the same job.
 * @param optionsOf what the job takes besides; the file goes where this throws
 */
export async function makeJobOfFile<Options extends object, Result extends Json>(
  c: AppContext,
  { upload, facts }: ReceivedFile,
  {
    type,
    optionsOf,
  }: { type: JobType<Options & { upload_id: string }, Result>; optionsOf(): Options },
): Promise<FileJobAnswer> {
  try {
    const options = optionsOf();
    const fingerprint = `${facts.etag} ${facts.size} ${JSON.stringify(options)}`;
    const make = async (context: TransactionContext) => {
      await markComplete(context, upload.id, facts);
      return makeFileJob(c, context, { type, input: { ...options, upload_id: upload.id } });
    };
    const { body } = await idempotent(c, make, fingerprint);
    // The same request was answered before, with the file that came then.
    if (body.upload_id !== upload.id) await forgetFile(c, upload);
    return body;
  } catch (error) {
    await forgetFile(c, upload);
    throw error;
  }
}
