import type { Context } from "../kernel/context.ts";
import { insertUpload } from "./create-upload.ts";
import { deleteUpload } from "./delete-upload.ts";
import { atMost, type ReceivedBody } from "./receive-body.ts";
import { ONE_REQUEST_BYTES, type Upload, uploadKey, type UploadPorts } from "./upload.ts";
import type { FileFacts } from "../files/file-store.ts";

export interface ReceiveUploadInput {
  name: string;
  contentType: string;
  body: ReceivedBody;
}

/**
 * Stores a file that comes in one request, as it comes. It is not complete until `markComplete`, which is for the
 * transaction of whatever is done with it; one that nobody completes goes after a day, and one that does not come whole
 * at once.
 * @throws AppError `missing_scope` without `jobs`, `body_too_large` over 95 MiB, `rate_limit_exceeded`
 */
export async function receiveUpload(
  context: Context,
  { files }: UploadPorts,
  { name, contentType, body }: ReceiveUploadInput,
): Promise<{ upload: Upload; facts: FileFacts }> {
  const { stream, fault } = atMost(body, ONE_REQUEST_BYTES);
  const upload = await insertUpload(context, {
    name,
    contentType,
    size: body.length,
    partSize: null,
  });
  try {
    const facts = await files.put(uploadKey(upload), stream, {
      contentType,
      ...(body.length === null ? {} : { size: body.length }),
    });
    return { upload, facts };
  } catch (error) {
    // Else it would be one of the team's unfinished uploads for a day.
    await deleteUpload(context, { files }, upload.id).catch(() => undefined); // then it goes after a day
    throw fault() ?? error;
  }
}
