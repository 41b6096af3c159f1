import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answerTo, type FileAnswer, type FileConditions } from "./answer-conditions.ts";

const STORED = new Date("2026-11-21T10:00:00.700Z");
const file = (size: number) => ({ size, etag: '"abc"', storedAt: STORED });

function ask(conditions: Partial<FileConditions>, size = 100): FileAnswer {
  const nothing: FileConditions = {
    method: "GET",
    range: undefined,
    ifRange: undefined,
    ifMatch: undefined,
    ifNoneMatch: undefined,
    ifModifiedSince: undefined,
    ifUnmodifiedSince: undefined,
  };
  return answerTo({ ...nothing, ...conditions }, file(size));
}

describe("a range", () => {
  it.each([
    ["bytes=0-0", { status: 206, offset: 0, length: 1 }],
    ["bytes=10-19", { status: 206, offset: 10, length: 10 }],
    ["bytes=90-", { status: 206, offset: 90, length: 10 }],
    ["bytes=90-1000", { status: 206, offset: 90, length: 10 }],
    ["bytes=-10", { status: 206, offset: 90, length: 10 }],
    ["bytes=-1000", { status: 206, offset: 0, length: 100 }],
    ["BYTES = 1 - 2", { status: 206, offset: 1, length: 2 }],
    ["bytes=99-99", { status: 206, offset: 99, length: 1 }],
    ["bytes=100-", { status: 416 }],
    ["bytes=99999999999999999999999-", { status: 416 }],
    ["bytes=-0", { status: 416 }],
    ["bytes=5-4", { status: 200 }],
    ["bytes=-", { status: 200 }],
    ["bytes=a-b", { status: 200 }],
    ["bytes=0-1,3-4", { status: 200 }],
    ["lines=0-1", { status: 200 }],
    ["bytes=0x1-2", { status: 200 }],
    ["bytes=1e1-", { status: 200 }],
  ])("%s", (range, answer) => {
    expect(ask({ range })).toEqual(answer);
  });

  it("of an empty file is never satisfied", () => {
    for (const range of ["bytes=0-", "bytes=-1", "bytes=0-0"])
      expect(ask({ range }, 0)).toEqual({ status: 416 });
  });

  it("is only looked at for GET", () => {
    expect(ask({ range: "bytes=0-1", method: "HEAD" })).toEqual({ status: 200 });
  });

  it("is the slice of the file that the same numbers name, whatever they are", () => {
    fc.assert(
      fc.property(fc.nat(300), fc.nat(400), fc.option(fc.nat(400)), (size, first, last) => {
        const bytes = Uint8Array.from({ length: size }, (_, index) => index % 251);
        const answer = ask({ range: `bytes=${first}-${last ?? ""}` }, size);
        const wanted = bytes.slice(first, last === null ? undefined : last + 1);
        if (last !== null && last < first) return answer.status === 200;
        if (wanted.length === 0) return answer.status === 416;
        if (!("offset" in answer)) return false;
        const got = bytes.slice(answer.offset, answer.offset + answer.length);
        return got.length === answer.length && got.join() === wanted.join();
      }),
      { numRuns: 2_000 },
    );
  });

  it("from the end is what slice gives for a negative number", () => {
    fc.assert(
      fc.property(fc.nat(300), fc.integer({ min: 1, max: 400 }), (size, suffix) => {
        const answer = ask({ range: `bytes=-${suffix}` }, size);
        if (size === 0) return answer.status === 416;
        const bytes = Uint8Array.from({ length: size }, (_, index) => index % 251);
        return (
          "offset" in answer && bytes.slice(answer.offset).join() === bytes.slice(-suffix).join()
        );
      }),
    );
  });
});

describe("a condition", () => {
  const date = STORED.toUTCString();
  const before = new Date(STORED.getTime() - 5_000).toUTCString();
  const range = "bytes=0-1";

  it.each<[string, Partial<FileConditions>, number]>([
    ["the tag that one has", { ifNoneMatch: '"abc"' }, 304],
    ["one of several", { ifNoneMatch: '"x", W/"abc"' }, 304],
    ["any", { ifNoneMatch: "*" }, 304],
    ["another tag", { ifNoneMatch: '"ab"' }, 200],
    ["a tag without quotes", { ifNoneMatch: "abc" }, 200],
    ["a tag counts more than a date", { ifNoneMatch: '"x"', ifModifiedSince: date }, 200],
    ["not changed since", { ifModifiedSince: date }, 304],
    ["changed since", { ifModifiedSince: before }, 200],
    ["a date that is none", { ifModifiedSince: "yesterday" }, 200],
    ["still the same", { ifMatch: '"abc"' }, 200],
    ["no longer the same", { ifMatch: '"x"' }, 412],
    ["a weak tag never means the same", { ifMatch: 'W/"abc"' }, 412],
    ["unmodified since", { ifUnmodifiedSince: date }, 200],
    ["modified since", { ifUnmodifiedSince: before }, 412],
    ["a part of the same file", { range, ifRange: '"abc"' }, 206],
    ["a part by its date", { range, ifRange: date }, 206],
    ["a part of another file is the whole", { range, ifRange: '"x"' }, 200],
    ["a part by a weak tag is the whole", { range, ifRange: 'W/"abc"' }, 200],
    ["a part of an older file is the whole", { range, ifRange: before }, 200],
    ["a part that one has already", { range, ifNoneMatch: '"abc"' }, 304],
  ])("%s", (_, conditions, status) => {
    expect(ask(conditions).status).toBe(status);
  });
});
