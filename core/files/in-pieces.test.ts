import { expect, it } from "vitest";
import { bytesSource } from "../tables/byte-source.ts";
import { inPieces } from "./in-pieces.ts";

const MEBIBYTE = 1_048_576;
const file = new Uint8Array(20 * MEBIBYTE).map((_, at) => (at * 31 + (at >> 12)) % 251);

function store(bytes = file) {
  const asked: [offset: number, length: number][] = [];
  const source = bytesSource(bytes);
  return {
    asked,
    piece: async (offset: number, length: number) => {
      asked.push([offset, length]);
      return source.stream(offset, offset + length);
    },
  };
}

const all = async (stream: ReadableStream<Uint8Array>) =>
  new Uint8Array(await new Response(stream).arrayBuffer());

it("gives every byte of the part once, from pieces that touch each other", async () => {
  const { piece, asked } = store();
  const [from, to] = [3, file.length - 5];
  const read = await all(await inPieces(piece, from, to));
  expect(Buffer.compare(read, file.subarray(from, to))).toBe(0);
  expect(asked).toEqual([
    [3, 8 * MEBIBYTE],
    [3 + 8 * MEBIBYTE, 8 * MEBIBYTE],
    [3 + 16 * MEBIBYTE, 4 * MEBIBYTE - 8],
  ]);
});

it("asks for no piece before the one before it has been read, and for none once nobody reads", async () => {
  const { piece, asked } = store();
  const reader = (await inPieces(piece, 0, file.length)).getReader();
  for (let bytes = 0; bytes < 8 * MEBIBYTE; bytes += (await reader.read()).value?.length ?? 0)
    expect(asked).toHaveLength(1);
  await reader.read();
  expect(asked).toHaveLength(2);
  await reader.cancel();
  expect(asked).toHaveLength(2);
});

it("says so where the file is shorter than it was said to be, in place of asking for ever", async () => {
  const { piece } = store(file.subarray(0, 9 * MEBIBYTE));
  await expect(all(await inPieces(piece, 0, file.length))).rejects.toThrow("ended at 9437184");
});

it("gives on what the first piece's asking throws, and what a later one's does", async () => {
  const gone = () => Promise.reject(new Error("gone"));
  await expect(inPieces(gone, 0, 1)).rejects.toThrow("gone");
  const { piece } = store();
  const later = (offset: number, length: number) => (offset > 0 ? gone() : piece(offset, length));
  await expect(all(await inPieces(later, 0, file.length))).rejects.toThrow("gone");
});
