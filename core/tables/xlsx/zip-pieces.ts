import { crc32 } from "./crc32.ts";
import type { ZipEntry } from "./zip-directory.ts";

/** A part of an archive that is to be written. */
export type ZipPart = TextPart | PackedPart;

interface TextPart {
  name: string;
  text: string | Iterable<string> | AsyncIterable<string>;
}

/** A part of another archive, copied as it is packed there. */
interface PackedPart {
  packed: ZipEntry;
  /** Its content, opened when it is its turn. */
  open: () => Promise<ReadableStream<Uint8Array>>;
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
const DEFLATE = 8;
/** 1980-01-01, the first day that an archive can tell. */
const NO_DATE = 0x0021;
/** 4 GiB: beyond it an archive would need ZIP64, which nothing here comes near. */
const MOST = 0xffff_ffff;

/**
 * An archive, part after part, as it is read; of what was written only the directory is kept.
 * @throws RangeError beyond 4 GiB, packed or unpacked
 */
export async function* zipPieces(
  parts: Iterable<ZipPart> | AsyncIterable<ZipPart>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const written: WrittenEntry[] = [];
  let at = 0;
  const put = (bytes: Uint8Array) => {
    at += bytes.length;
    if (at > MOST) throw tooLarge();
    return bytes;
  };
  for await (const part of parts) {
    const entry = entryOf(part, at);
    written.push(entry);
    yield put(localHeader(entry));
    if ("packed" in part) {
      for await (const bytes of bytesOf(await part.open())) yield put(bytes);
      continue;
    }
    for await (const bytes of deflated(part.text, entry)) {
      entry.compressedSize += bytes.length;
      yield put(bytes);
    }
    if (entry.size > MOST) throw tooLarge();
    yield put(descriptor(entry));
  }
  const directoryAt = at;
  for (const entry of written) yield put(centralHeader(entry));
  yield put(endRecord(written.length, directoryAt, at - directoryAt));
}

const tooLarge = () => new RangeError("The file would be larger than 4 GiB.");

function entryOf(part: ZipPart, headerAt: number): WrittenEntry {
  if (!("packed" in part))
    return {
      name: encoder.encode(part.name),
      method: DEFLATE,
      flags: UTF8_NAMES | DESCRIPTOR_FOLLOWS,
      crc: 0,
      compressedSize: 0,
      size: 0,
      headerAt,
    };
  const { name, method, crc, compressedSize, size } = part.packed;
  return {
    name: encoder.encode(name),
    method,
    flags: UTF8_NAMES,
    crc,
    compressedSize,
    size,
    headerAt,
  };
}

/** Packs a text, and notes its size and checksum. */
async function* deflated(
  text: TextPart["text"],
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
      for await (const piece of typeof text === "string" ? [text] : text) {
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
