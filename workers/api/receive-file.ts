import { AppError } from "#core/kernel/errors.ts";
import type { FileFacts } from "#core/files/file-store.ts";
import {
  boundaryOf,
  fieldText,
  type FormPart,
  readMultipart,
} from "#core/uploads/read-multipart.ts";
import { deleteUpload } from "#core/uploads/delete-upload.ts";
import { receiveUpload } from "#core/uploads/receive-upload.ts";
import { type Upload, uploadContentType, uploadName } from "#core/uploads/upload.ts";
import type { AppContext } from "./app-types.ts";
import { receivedBody } from "./file-bodies.ts";

/** A file that a request brought, stored but not complete, and what was said beside it. */
export interface ReceivedFile {
  upload: Upload;
  facts: FileFacts;
  /** Fields of the form, or of the query. */
  fields: Record<string, string>;
}

const FIELD_BYTES = 65_536;

/**
 * Stores the file of a request: the field `file` of a form, or the whole body.
 * @throws AppError as receiveUpload, and `invalid_request` for a form without a file
 */
export async function receiveFile(c: AppContext): Promise<ReceivedFile> {
  const contentType = c.req.header("content-type") ?? "application/octet-stream";
  if (/^multipart\/form-data\b/i.test(contentType)) return receiveForm(c, contentType);
  const body = receivedBody(c);
  if (body === null || body.length === 0) throw noFile();
  const { name, ...fields } = c.req.query();
  const stored = await receiveUpload(c.get("context"), c.get("deps"), {
    name: nameOf(name ?? nameInHeader(c.req.header("content-disposition"))),
    contentType: typeOf(contentType),
    body,
  });
  return { ...stored, fields };
}

async function receiveForm(c: AppContext, contentType: string): Promise<ReceivedFile> {
  const { body } = c.req.raw;
  if (body === null) throw noFile();
  const fields: Record<string, string> = c.req.query();
  let stored: Omit<ReceivedFile, "fields"> | null = null;
  try {
    for await (const part of readMultipart(body, boundaryOf(contentType))) {
      if (part.name !== "file") fields[part.name] = await fieldText(part, FIELD_BYTES);
      else if (stored !== null) throw noFile();
      else stored = await storePart(c, part);
    }
  } catch (error) {
    if (stored !== null) await forgetFile(c, stored.upload);
    throw error;
  }
  if (stored === null) throw noFile();
  return { ...stored, fields };
}

const storePart = (c: AppContext, part: FormPart) =>
  receiveUpload(c.get("context"), c.get("deps"), {
    name: nameOf(part.fileName),
    contentType: typeOf(part.contentType),
    body: { stream: part.body, length: null },
  });

/** Deletes a file that nothing comes of. */
export async function forgetFile(c: AppContext, { id }: Upload): Promise<void> {
  await deleteUpload(c.get("context"), c.get("deps"), id).catch(() => undefined); // it goes after a day
}

function noFile(): AppError {
  return new AppError("invalid_request", {
    message:
      "Send one file: as the field `file` of multipart/form-data, or as the whole body with its content type.",
  });
}

/** What a client calls its file is shown only, so a name that is odd is no reason to refuse the file. */
function nameOf(name: string | null | undefined): string {
  const parsed = uploadName.safeParse((name ?? "").split(/[/\\]/).at(-1)?.slice(0, 255));
  return parsed.success ? parsed.data : "upload";
}

function typeOf(type: string | null): string {
  const parsed = uploadContentType.safeParse(type);
  return parsed.success ? parsed.data : "application/octet-stream";
}

const nameInHeader = (disposition: string | undefined): string | undefined =>
  /filename="?([^";]+)"?/i.exec(disposition ?? "")?.[1];
