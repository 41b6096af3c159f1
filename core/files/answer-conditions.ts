import type { FileFacts } from "./file-store.ts";

/** What a request for a file asks of it (RFC 9110), as its headers have it. */
export interface FileConditions {
  method: "GET" | "HEAD";
  range: string | undefined;
  ifRange: string | undefined;
  ifMatch: string | undefined;
  ifNoneMatch: string | undefined;
  ifModifiedSince: string | undefined;
  ifUnmodifiedSince: string | undefined;
}

/** How the file is to be answered with. Of 206, `length` is at least 1 and the part lies within the file. */
export type FileAnswer =
  | { status: 200 | 304 | 412 | 416 }
  | { status: 206; offset: number; length: number };

/**
 * Decides in the order of RFC 9110, section 13.2.2. Several ranges at once are answered by the whole file, as are
 * ranges that are none: both are allowed, and nobody needs more.
 */
export function answerTo(
  asked: FileConditions,
  file: Pick<FileFacts, "size" | "etag" | "storedAt">,
): FileAnswer {
  const modified = seconds(file.storedAt);
  if (asked.ifMatch !== undefined) {
    if (!matches(asked.ifMatch, file.etag, "strong")) return { status: 412 };
  } else if (isBefore(asked.ifUnmodifiedSince, modified)) return { status: 412 };
  if (asked.ifNoneMatch !== undefined) {
    if (matches(asked.ifNoneMatch, file.etag, "weak")) return { status: 304 };
  } else if (isNotBefore(asked.ifModifiedSince, modified)) return { status: 304 };
  if (asked.method !== "GET" || asked.range === undefined) return { status: 200 };
  if (asked.ifRange !== undefined && !isSame(asked.ifRange, file.etag, modified))
    return { status: 200 };
  return part(asked.range, file.size);
}

/** Of an HTTP date; they know no milliseconds. */
function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

function dateOf(header: string | undefined): number | null {
  if (header === undefined) return null;
  const time = Date.parse(header);
  return Number.isNaN(time) ? null : Math.floor(time / 1000);
}

function isBefore(header: string | undefined, modified: number): boolean {
  const date = dateOf(header);
  return date !== null && date < modified;
}

function isNotBefore(header: string | undefined, modified: number): boolean {
  const date = dateOf(header);
  return date !== null && date >= modified;
}

/** Weak tags are good for "do I have it", and never for putting parts together. */
function matches(header: string, etag: string, comparison: "strong" | "weak"): boolean {
  if (header.trim() === "*") return true;
  const tags: string[] = header.match(/(?:W\/)?"[^"]*"/g) ?? [];
  const known = etag.replace(/^W\//, "");
  if (comparison === "strong") return !etag.startsWith("W/") && tags.includes(known);
  return tags.some((tag) => tag.replace(/^W\//, "") === known);
}

/** Whether the file is still the one of which the client has a part. */
function isSame(ifRange: string, etag: string, modified: number): boolean {
  const tag = ifRange.trim();
  if (tag.startsWith('"') || tag.startsWith("W/")) return matches(tag, etag, "strong");
  return dateOf(tag) === modified;
}

const WHOLE: FileAnswer = { status: 200 };
const OUTSIDE: FileAnswer = { status: 416 };

function part(range: string, size: number): FileAnswer {
  const [, first = "", last = ""] = /^\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(range) ?? [];
  if (first === "" && last === "") return WHOLE;
  if (first === "") {
    const length = Math.min(Number(last), size);
    return length === 0 ? OUTSIDE : { status: 206, offset: size - length, length };
  }
  const offset = Number(first);
  if (last !== "" && Number(last) < offset) return WHOLE; // not a range at all
  if (offset >= size) return OUTSIDE;
  const end = last === "" ? size : Math.min(Number(last) + 1, size);
  return { status: 206, offset, length: end - offset };
}
