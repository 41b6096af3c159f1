import { createJob } from "#core/jobs/create-job.ts";
import type { TransactionContext } from "#core/kernel/context.ts";
import { AppError } from "#core/kernel/errors.ts";
import { csvLine } from "#core/kernel/csv.ts";
import { validationError } from "#core/kernel/validation-error.ts";
import { markComplete } from "#core/uploads/complete-upload.ts";
import { deleteUpload } from "#core/uploads/delete-upload.ts";
import { receiveUpload } from "#core/uploads/receive-upload.ts";
import { decodeVinFile, vinFileOptions } from "#core/vin/files/decode-vin-file-type.ts";
import { LONGEST_VIN_TEXT } from "#core/vin/read-vin.ts";
import type { AppContext } from "./app-types.ts";
import { encodeNewJob, jobSchema } from "./job-shape.ts";
import { type Created, idempotent } from "./middleware/idempotent.ts";
import { z } from "./openapi.ts";
import { receiveFile, type ReceivedFile } from "./receive-file.ts";

/** The most VINs that a list may have; a file has no such bound. */
const MOST_LISTED = 100_000;

/** A list that is too long to be answered at once. */
export const vinList = z.strictObject({
  vins: z.array(z.string().max(LONGEST_VIN_TEXT)).max(MOST_LISTED),
});

export const vinFileAnswer = z.object({ upload_id: z.string(), job: jobSchema });
type Answer = z.infer<typeof vinFileAnswer>;

/** Makes a job of the file that the request brings. */
export async function readVinFile(c: AppContext): Promise<Answer> {
  const received = await receiveFile(c);
  return makeJob(c, received, () => {
    const parsed = vinFileOptions.safeParse(received.fields);
    if (!parsed.success) throw validationError(parsed.error);
    return parsed.data;
  });
}

/** Makes a job of a long list: its result is a CSV file with a line for each. */
export async function readVinList(c: AppContext, vins: readonly string[]): Promise<Answer> {
  const bytes = new TextEncoder().encode(
    csvLine(["vin"]) + vins.map((vin) => csvLine([vin])).join(""),
  );
  const body = { stream: new Blob([bytes]).stream(), length: bytes.length };
  const stored = await receiveUpload(c.get("context"), c.get("deps"), {
    name: "vins.csv",
    contentType: "text/csv",
    body,
  });
  return makeJob(c, { ...stored, fields: {} }, () => ({ vin_column: "vin", sheet: null }));
}

async function makeJob(
  c: AppContext,
  { upload, facts }: ReceivedFile,
  optionsOf: () => z.output<typeof vinFileOptions>,
): Promise<Answer> {
  const forget = () => deleteUpload(c.get("context"), c.get("deps"), upload.id);
  try {
    const options = optionsOf();
    const fingerprint = `${facts.etag} ${facts.size} ${JSON.stringify(options)}`;
    const create = async (context: TransactionContext): Promise<Created<Answer>> => {
      await markComplete(context, upload.id, facts);
      const input = { ...options, upload_id: upload.id };
      const { job } = await createJob(context, c.get("deps").jobDesk, {
        type: decodeVinFile,
        input,
      });
      return { status: 202, body: { upload_id: upload.id, job: encodeNewJob(job) } };
    };
    const { body } = await idempotent(c, create, fingerprint);
    // The same request was answered before, with the file that came then.
    if (body.upload_id !== upload.id) await forget();
    return body;
  } catch (error) {
    await forget().catch(() => undefined); // it goes after a day
    throw error;
  }
}

/** The body of a request as JSON. @throws AppError `invalid_json` */
export async function jsonOfBody(c: AppContext): Promise<unknown> {
  try {
    return await c.req.json();
  } catch (cause) {
    throw new AppError("invalid_json", { message: "The body is not valid JSON.", cause });
  }
}
