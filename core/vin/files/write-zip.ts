import type { ByteSource } from "../../tables/byte-source.ts";
import { contentStart, type ZipEntry } from "../../tables/xlsx/zip-directory.ts";
import { crc32 } from "./crc-32.ts";

/** A part of an archive whose text is another one now. */
export interface NewPart {
  entry: ZipEntry;
  text: AsyncIterable<string>;
}

interface WrittenEntry {
  name: Uint8Array;
  method: number;
  flags: number;
  crc: number;
  compressedSize: number;
  size: number;
  headerAt: number;
}

const encoder = new TextEncoder();
/** Sizes follow the content; names are UTF-8. */
const DESCRIPTOR_FOLLOWS = 8;
const UTF8_NAMES = 0x0800;
/** 1980-01-01, as in most archives of this kind. */
const NO_DATE = 0x0021;
const MOST = 0xffff_ffff;

/**
 * An archive with some parts made anew, which come last and in their order; the others are copied as they are packed.
 * Without ZIP64: no file that we take comes near to its size.
 */
export async function* zipPieces(
  source: ByteSource,
  entries: readonly ZipEntry[],
  parts: readonly NewPart[],
): AsyncGenerator<Uint8Array, void, undefined> {
  const written: WrittenEntry[] = [];
  let at = 0;
  const put = (bytes: Uint8Array) => {
    at += bytes.length;
    return bytes;
  };
  for (const entry of entries) {
    if (parts.some((part) => part.entry.name === entry.name)) continue;
    const { name, method, crc, compressedSize, size } = entry;
    const copy = {
      name: encoder.encode(name),
      method,
      flags: UTF8_NAMES,
      crc,
      compressedSize,
      size,
      headerAt: at,
    };
    written.push(copy);
    yield put(localHeader(copy));
    const start = await contentStart(source, entry);
    for await (const bytes of bytesOf(await source.stream(start, start + compressedSize)))
      yield put(bytes);
  }
  for (const { entry, text } of parts) {
    const fresh: WrittenEntry = {
      name: encoder.encode(entry.name),
      method: 8,
      flags: UTF8_NAMES | DESCRIPTOR_FOLLOWS,
      crc: 0,
      compressedSize: 0,
      size: 0,
      headerAt: at,
    };
    written.push(fresh);
    yield put(localHeader(fresh));
    for await (const bytes of deflated(text, fresh)) {
      fresh.compressedSize += bytes.length;
      yield put(bytes);
    }
    if (Math.max(fresh.size, fresh.compressedSize, at) > MOST)
      throw new Error("The file is too large");
    yield put(descriptor(fresh));
  }
  const directoryAt = at;
  for (const entry of written) yield put(centralHeader(entry));
  yield put(endRecord(written.length, directoryAt, at - directoryAt));
}

/** Packs a text, and notes its size and checksum. */
async function* deflated(
  text: AsyncIterable<string>,
  entry: WrittenEntry,
): AsyncGenerator<Uint8Array, void, undefined> {
  // The platform's type asks for a BufferSource where ours says Uint8Array, which is one.
  const packer = new CompressionStream("deflate-raw") as unknown as ReadableWritablePair<
    Uint8Array,
    Uint8Array
  >;
  const writer = packer.writable.getWriter();
  const feed = async () => {
    try {
      for await (const piece of text) {
        const bytes = encoder.encode(piece);
        entry.crc = crc32(bytes, entry.crc);
        entry.size += bytes.length;
        await writer.write(bytes);
      }
      await writer.close();
    } catch (error) {
      await writer.abort(error).catch(() => undefined);
      throw error;
    }
  };
  const feeding = feed();
  feeding.catch(() => undefined); // its error comes out of the reader too
  yield* bytesOf(packer.readable);
  await feeding;
}

async function* bytesOf(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined); // an error was told by read()
  }
}

type Field = [bytes: 2 | 4, value: number];

function record(fields: readonly Field[], name: Uint8Array = new Uint8Array()): Uint8Array {
  const length = fields.reduce((sum, [bytes]) => sum + bytes, 0);
  const view = new DataView(new ArrayBuffer(length + name.length));
  let at = 0;
  for (const [bytes, value] of fields) {
    if (bytes === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += bytes;
  }
  const whole = new Uint8Array(view.buffer);
  whole.set(name, length);
  return whole;
}

/** APPNOTE 4.3.7. */
function localHeader({ name, method, flags, crc, compressedSize, size }: WrittenEntry): Uint8Array {
  const fields: Field[] = [
    [4, 0x0403_4b50],
    [2, 20],
    [2, flags],
    [2, method],
    [2, 0],
    [2, NO_DATE],
  ];
  return record(
    [...fields, [4, crc], [4, compressedSize], [4, size], [2, name.length], [2, 0]],
    name,
  );
}

/** APPNOTE 4.3.9. */
const descriptor = ({ crc, compressedSize, size }: WrittenEntry) =>
  record([
    [4, 0x0807_4b50],
    [4, crc],
    [4, compressedSize],
    [4, size],
  ]);

/** APPNOTE 4.3.12. */
function centralHeader(entry: WrittenEntry): Uint8Array {
  const { name, method, flags, crc, compressedSize, size, headerAt } = entry;
  const begin: Field[] = [
    [4, 0x0201_4b50],
    [2, 20],
    [2, 20],
    [2, flags],
    [2, method],
    [2, 0],
    [2, NO_DATE],
  ];
  const sizes: Field[] = [
    [4, crc],
    [4, compressedSize],
    [4, size],
    [2, name.length],
  ];
  const rest: Field[] = [
    [2, 0],
    [2, 0],
    [2, 0],
    [2, 0],
    [4, 0],
    [4, headerAt],
  ];
  return record([...begin, ...sizes, ...rest], name);
}

/** APPNOTE 4.3.16. */
function endRecord(count: number, directoryAt: number, directorySize: number): Uint8Array {
  const begin: Field[] = [
    [4, 0x0605_4b50],
    [2, 0],
    [2, 0],
    [2, count],
    [2, count],
  ];
  return record([...begin, [4, directorySize], [4, directoryAt], [2, 0]]);
}
