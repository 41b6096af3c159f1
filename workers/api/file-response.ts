import { answerTo, type FileConditions } from "#core/files/answer-conditions.ts";
import { downloadHeaders } from "#core/files/download-headers.ts";
import type { FileFacts, FileStore } from "#core/files/file-store.ts";
import { AppError } from "#core/kernel/errors.ts";
import type { AppContext } from "./app-types.ts";

/** A file that is replaced while it is answered with is looked at anew so often. */
const LOOKS = 3;

/** A file as it is stored, by what it is called. */
export interface NamedFile {
  key: string;
  name: string;
}

/**
 * Streams a file, or the part of it that was asked for.
 * @throws AppError `not_found` where it is not there any more
 */
export async function fileResponse(c: AppContext, store: FileStore, file: NamedFile) {
  const asked = conditionsOf(c);
  for (let look = 1; look <= LOOKS; look++) {
    const facts = await store.head(file.key);
    if (!facts) throw gone();
    const headers = downloadHeaders(file.name, facts);
    const answer = answerTo(asked, facts);
    const { status } = answer;
    if (status === 304 || status === 412) return new Response(null, { status, headers });
    if (status === 416) return unsatisfiable(facts, headers);
    const part = status === 206 ? answer : { offset: 0, length: facts.size };
    if (asked.method === "HEAD") return sized(null, 200, { ...headers }, facts.size);
    const got = await store.get(file.key, status === 206 ? part : undefined);
    if (!got) throw gone();
    if (got.facts.etag === facts.etag) {
      if (status === 206) headers["content-range"] = rangeText(part, facts.size);
      return sized(got.body, status, headers, part.length);
    }
    await got.body.cancel();
  }
  throw new AppError("unavailable", {
    message: "The file is being replaced. Try again in a moment.",
    retryAfterSeconds: 1,
  });
}

function conditionsOf(c: AppContext): FileConditions {
  return {
    method: c.req.method === "HEAD" ? "HEAD" : "GET",
    range: c.req.header("range"),
    ifRange: c.req.header("if-range"),
    ifMatch: c.req.header("if-match"),
    ifNoneMatch: c.req.header("if-none-match"),
    ifModifiedSince: c.req.header("if-modified-since"),
    ifUnmodifiedSince: c.req.header("if-unmodified-since"),
  };
}

function gone(): AppError {
  return new AppError("not_found", {
    message: "This file is not there. Results of jobs are kept for a while only.",
  });
}

function rangeText({ offset, length }: { offset: number; length: number }, size: number): string {
  return `bytes ${offset}-${offset + length - 1}/${size}`;
}

function unsatisfiable(facts: FileFacts, headers: Record<string, string>): Response {
  return new Response(null, {
    status: 416,
    headers: { ...headers, "content-range": `bytes */${facts.size}` },
  });
}

/** With its length told, so that a client knows a cut answer from a whole one. */
function sized(
  body: ReadableStream<Uint8Array> | null,
  status: number,
  headers: Record<string, string>,
  length: number,
): Response {
  const all = { ...headers, "content-length": String(length) };
  if (body === null) return new Response(null, { status, headers: all });
  return new Response(body.pipeThrough(new FixedLengthStream(length)), { status, headers: all });
}
