import { describe, expect, it } from "vitest";
import { RequestReader } from "./request-reader.ts";

const withLength = (body: string) =>
  `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
const inChunks = (...chunks: string[]) =>
  `POST /a HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n${[...chunks, ""]
    .map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`)
    .join("")}`;

/** The bodies that come out when the bytes arrive in pieces of a size. */
function read(bytes: Buffer, pieceSize: number): string[] {
  const reader = new RequestReader();
  const bodies: string[] = [];
  for (let at = 0; at < bytes.length; at += pieceSize) {
    for (const { body } of reader.push(bytes.subarray(at, at + pieceSize)))
      bodies.push(body.toString());
  }
  return bodies;
}

describe("RequestReader", () => {
  it("finds each request wherever the bytes of a connection are cut", () => {
    const bytes = Buffer.from(
      withLength('{"a":"é"}') +
        inChunks("he", "llo") +
        "GET / HTTP/1.1\r\n\r\n" +
        withLength("last"),
    );
    for (let pieceSize = 1; pieceSize <= bytes.length; pieceSize++) {
      expect(read(bytes, pieceSize)).toEqual([
        '{"a":"é"}',
        "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        "",
        "last",
      ]);
    }
  });

  it("waits for a body that has not come yet", () => {
    const bytes = Buffer.from(withLength("0123456789"));
    expect(new RequestReader().push(bytes.subarray(0, -1))).toEqual([]);
  });

  it("refuses what would fill its memory", () => {
    const reader = new RequestReader();
    reader.push(Buffer.from("POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n"));
    expect(() => reader.push(Buffer.alloc(1_000_001))).toThrow(/larger than/);
  });

  it("refuses a chunk without a size", () => {
    const bytes = Buffer.from("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
    expect(() => new RequestReader().push(bytes)).toThrow(/not a number/);
  });
});
