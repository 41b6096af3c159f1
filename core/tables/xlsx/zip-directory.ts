import { AppError } from "../../kernel/errors.ts";
import { readBytes, type ByteSource } from "../byte-source.ts";

/** One file within an archive. */
export interface ZipEntry {
  name: string;
  /** 0 is stored, 8 is deflated; nothing else is read. */
  method: number;
  compressedSize: number;
  /** Unpacked, as the directory says it. */
  size: number;
  crc: number;
  /** Where its local header begins. */
  headerAt: number;
}

/** The end record (22 bytes) and the longest comment that may follow it. */
const TAIL = 22 + 65_535;
const MOST_DIRECTORY_BYTES = 16 * 1_048_576;
const MOST_ENTRIES = 20_000;
/** What stands in a 32-bit field whose value is in the ZIP64 record. */
const IN_ZIP64 = 0xffff_ffff;

const END = 0x0605_4b50;
const ZIP64_LOCATOR = 0x0706_4b50;
const ZIP64_END = 0x0606_4b50;
const CENTRAL = 0x0201_4b50;
const LOCAL = 0x0403_4b50;

/**
 * What an archive holds, by its central directory: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT (4.3).
 *
 * @throws AppError `validation_failed` where it is damaged
 */
export async function readZipDirectory(source: ByteSource): Promise<Map<string, ZipEntry>> {
  const tailFrom = Math.max(0, source.size - TAIL);
  const tail = dataView(await readBytes(source, tailFrom, source.size));
  const endAt = findEnd(tail);
  if (endAt < 0) throw damaged("its end is missing: it may be cut off");
  const { offset, size, count } = await directoryPlace(source, tail, endAt, tailFrom);
  if (size > MOST_DIRECTORY_BYTES || count > MOST_ENTRIES) throw damaged("it has too many parts");
  if (offset + size > source.size) throw damaged("its directory points outside of it");
  return readEntries(dataView(await readBytes(source, offset, offset + size)), count);
}

/** Where the content of an entry begins: behind its local header, whose length is known from there only. */
export async function contentStart(source: ByteSource, entry: ZipEntry): Promise<number> {
  const header = dataView(await readBytes(source, entry.headerAt, entry.headerAt + 30));
  if (header.byteLength < 30 || header.getUint32(0, true) !== LOCAL) {
    throw damaged(`the header of ${entry.name} is missing`);
  }
  const start = entry.headerAt + 30 + header.getUint16(26, true) + header.getUint16(28, true);
  if (start + entry.compressedSize > source.size) throw damaged(`${entry.name} is cut off`);
  return start;
}

/** Of a workbook that cannot be read. */
export function damaged(why: string): AppError {
  return new AppError("validation_failed", {
    message: `The workbook cannot be read: ${why}. Save it anew as .xlsx, or send it as CSV.`,
  });
}

const dataView = (bytes: Uint8Array) =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function findEnd(tail: DataView): number {
  for (let at = tail.byteLength - 22; at >= 0; at -= 1) {
    if (tail.getUint32(at, true) === END) return at;
  }
  return -1;
}

interface DirectoryPlace {
  offset: number;
  size: number;
  count: number;
}

async function directoryPlace(
  source: ByteSource,
  tail: DataView,
  endAt: number,
  tailFrom: number,
): Promise<DirectoryPlace> {
  const locatorAt = endAt - 20;
  if (locatorAt >= 0 && tail.getUint32(locatorAt, true) === ZIP64_LOCATOR) {
    const recordAt = wide(tail, locatorAt + 8);
    if (recordAt > tailFrom + endAt) throw damaged("its directory points outside of it");
    const record = dataView(await readBytes(source, recordAt, recordAt + 56));
    if (record.byteLength < 56 || record.getUint32(0, true) !== ZIP64_END) {
      throw damaged("its ZIP64 record is missing");
    }
    return { count: wide(record, 32), size: wide(record, 40), offset: wide(record, 48) };
  }
  return {
    count: tail.getUint16(endAt + 10, true),
    size: tail.getUint32(endAt + 12, true),
    offset: tail.getUint32(endAt + 16, true),
  };
}

function readEntries(directory: DataView, count: number): Map<string, ZipEntry> {
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let read = 0; read < count; read += 1) {
    if (at + 46 > directory.byteLength || directory.getUint32(at, true) !== CENTRAL) {
      throw damaged("its directory is cut off");
    }
    const nameLength = directory.getUint16(at + 28, true);
    const extraLength = directory.getUint16(at + 30, true);
    const end = at + 46 + nameLength + extraLength + directory.getUint16(at + 32, true);
    if (end > directory.byteLength) throw damaged("its directory is cut off");
    const entry = readEntry(directory, at, nameLength, extraLength);
    entries.set(entry.name, entry);
    at = end;
  }
  return entries;
}

function readEntry(
  directory: DataView,
  at: number,
  nameLength: number,
  extraLength: number,
): ZipEntry {
  const name = new TextDecoder().decode(
    new Uint8Array(directory.buffer, directory.byteOffset + at + 46, nameLength),
  );
  if ((directory.getUint16(at + 8, true) & 1) !== 0) throw damaged("it is protected by a password");
  const method = directory.getUint16(at + 10, true);
  if (method !== 0 && method !== 8) throw damaged(`${name} is packed in a way that is not read`);
  let compressedSize = directory.getUint32(at + 20, true);
  let headerAt = directory.getUint32(at + 42, true);
  // The ZIP64 field holds only those of the values that do not fit, in this order: size, packed size, place.
  let field = findZip64(directory, at + 46 + nameLength, extraLength);
  const next = () => {
    if (field === null || field.at + 8 > field.end)
      throw damaged(`the place of ${name} is missing`);
    const value = wide(directory, field.at);
    field = { at: field.at + 8, end: field.end };
    return value;
  };
  let size = directory.getUint32(at + 24, true);
  if (size === IN_ZIP64) size = next();
  if (compressedSize === IN_ZIP64) compressedSize = next();
  if (headerAt === IN_ZIP64) headerAt = next();
  // Some programs write the path with backslashes, or from the root.
  const path = name.replaceAll("\\", "/").replace(/^\//, "");
  const crc = directory.getUint32(at + 16, true);
  return { name: path, method, compressedSize, size, crc, headerAt };
}

function findZip64(
  directory: DataView,
  from: number,
  length: number,
): { at: number; end: number } | null {
  const end = from + length;
  for (let at = from; at + 4 <= end;) {
    const fieldEnd = at + 4 + directory.getUint16(at + 2, true);
    if (directory.getUint16(at, true) === 1) return { at: at + 4, end: Math.min(fieldEnd, end) };
    at = fieldEnd;
  }
  return null;
}

/** A 64-bit number. No file is so large that a double could not say it. */
function wide(view: DataView, at: number): number {
  const value = view.getBigUint64(at, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged("it names a place that cannot be");
  return Number(value);
}
