import type { Next } from "hono";
import { AppError } from "#core/kernel/errors.ts";
import type { AppContext } from "../app-types.ts";
import { inheritInternal } from "../internal-actor.ts";

/** What is read away of a body that is refused; the platform lets no more through. In bytes. */
const DISCARD_LIMIT = 100 * 1024 * 1024;

const tooLarge = (limit: number) =>
  new AppError("body_too_large", {
    message: `The body is over ${limit / 1024 / 1024} MB. Send less, or upload files in parts.`,
  });

/**
 * Refuses bodies over a limit, whether they tell their length or not. A client reads no answer while it still sends,
 * and one whose connection is closed meanwhile never gets to see it; so what it sends is read to the end.
 * @param limit in bytes
 */
export function bodyLimit(limit: number) {
  return async function limitBody(c: AppContext, next: Next): Promise<void> {
    const { body, headers } = c.req.raw;
    if (!body) return next();
    const length = headers.has("transfer-encoding") ? null : headers.get("content-length");
    if (length !== null && Number(length) <= limit) return next();
    const reader = body.getReader();
    if (length !== null) {
      await discard(reader, DISCARD_LIMIT);
      throw tooLarge(limit);
    }
    const whole = new Request(c.req.raw, {
      method: c.req.method,
      body: await readUpTo(reader, limit),
    });
    inheritInternal(c.req.raw, whole);
    c.req.raw = whole;
    return next();
  };
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
