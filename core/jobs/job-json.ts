import { AppError } from "../kernel/errors.ts";
import { JOB_JSON_BYTES } from "./job.ts";

const encoder = new TextEncoder();

/** A value as JSON text, with null for what JSON does not know; null where it takes more than 256 KiB. */
export function jobJson(value: unknown): string | null {
  const text = JSON.stringify(value ?? null) ?? "null";
  // No character takes more than three bytes of UTF-8 for each unit of the text.
  if (text.length * 3 <= JOB_JSON_BYTES) return text;
  return encoder.encode(text).byteLength <= JOB_JSON_BYTES ? text : null;
}

/** @throws AppError `validation_failed` where it takes more than 256 KiB */
export function boundedJobJson(value: unknown, path: string): string {
  const text = jobJson(value);
  if (text !== null) return text;
  throw new AppError("validation_failed", {
    message: `${path}: may take ${JOB_JSON_BYTES} bytes as JSON. Upload large things as a file and name it here.`,
    fields: [{ path, message: `must take at most ${JOB_JSON_BYTES} bytes as JSON` }],
  });
}
