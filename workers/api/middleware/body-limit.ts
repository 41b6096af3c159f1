import type { Next } from "hono";
import { AppError } from "#core/kernel/errors.ts";
import type { AppContext } from "../app-types.ts";
import { takesFiles } from "../file-bodies.ts";
import { inheritInternal } from "../internal-actor.ts";

/** What is read away of a body that is refused; the platform lets no more through. In bytes. */
const DISCARD_LIMIT = 100 * 1024 * 1024;

const MEGABYTE = 1024 * 1024;

/** @param limit in bytes */
export function tooLarge(limit: number): AppError {
  const shown = limit % MEGABYTE === 0 ? `${limit / MEGABYTE} MB` : `${limit} bytes`;
  return new AppError("body_too_large", {
    message: `The body is over ${shown}. Send less, or upload files in parts.`,
  });
}

/** Reads a body that will not be used, so that the client comes to read the answer. */
export async function discardBody({ body }: Request): Promise<void> {
  if (body) await discard(body.getReader(), DISCARD_LIMIT);
}

/**
 * Refuses bodies that are no JSON, and those over a limit, whether they tell their length or not. A client reads no answer while it still sends,
 * and one whose connection is closed meanwhile never gets to see it; so what it sends is read to the end.
 * @param limit in bytes
 */
export function bodyLimit(limit: number) {
  return async function limitBody(c: AppContext, next: Next): Promise<void> {
    const { method, headers } = c.req.raw;
    c.set("bodyBytes", 0);
    if (method === "GET" || method === "HEAD") return next();
    const length = headers.has("transfer-encoding") ? null : headers.get("content-length");
    const type = headers.get("content-type");
    if (length === "0") return next();
    if (length !== null && Number(length) <= limit && isJson(type)) {
      c.set("bodyBytes", Number(length));
      return next(); // the usual case, in which the body is not even looked at
    }
    const { body } = c.req.raw;
    if (!body) return next();
    if (!isJson(type) && takesFiles(c.req)) return passFile(c, next);
    if (!isJson(type)) {
      await discardBody(c.req.raw);
      throw notJson(type);
    }
    const reader = body.getReader();
    if (length !== null) {
      await discard(reader, DISCARD_LIMIT);
      throw tooLarge(limit);
    }
    const blob = await readUpTo(reader, limit);
    c.set("bodyBytes", blob.size);
    const whole = new Request(c.req.raw, { method: c.req.method, body: blob });
    inheritInternal(c.req.raw, whole);
    c.req.raw = whole;
    return next();
  };
}

/** Leaves a file to its route, and reads away what a refusal leaves of it. */
async function passFile(c: AppContext, next: Next): Promise<void> {
  await next();
  const { raw } = c.req;
  if (c.error !== undefined && !raw.bodyUsed && raw.body?.locked === false) await discardBody(raw);
}

/** `application/json` and its kin such as `application/merge-patch+json`, with or without parameters. */
export function isJson(type: string | null): boolean {
  return type !== null && (type === "application/json" || JSON_TYPE.test(type));
}

const JSON_TYPE = /^\s*application\/([a-z0-9.-]+\+)?json\s*(;|$)/i;

function notJson(type: string | null): AppError {
  const came = type === null ? "without a content type" : `as ${type.slice(0, 100)}`;
  return new AppError("unsupported_media_type", {
    message: `Send the body as JSON, with the header content-type: application/json. This one came ${came}.`,
  });
}

type BodyReader = ReadableStreamDefaultReader<Uint8Array>;

/** @throws AppError `body_too_large` */
async function readUpTo(reader: BodyReader, limit: number): Promise<Blob> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Blob(pieces);
    length += value.length;
    if (length > limit) {
      pieces.length = 0;
      await discard(reader, DISCARD_LIMIT - length);
      throw tooLarge(limit);
    }
    pieces.push(value);
  }
}

async function discard(reader: BodyReader, limit: number): Promise<void> {
  let left = limit;
  while (left > 0) {
    const { done, value } = await reader.read();
    if (done) return;
    left -= value.length;
  }
  await reader.cancel();
}
