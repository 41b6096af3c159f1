import { deflateRawSync } from "node:zlib";

/** A file for an archive, and how it is to lie there. */
export interface ZipPart {
  name: string;
  content: string | Uint8Array;
  stored?: boolean;
  /** Sizes and place in the ZIP64 field, as a writer does that does not know how large it becomes. */
  zip64?: boolean;
  /** The method's number, the flags and the sizes where they are to lie. */
  method?: number;
  flags?: number;
  compressedSize?: number;
}

/** An archive, right or wrong, byte by byte. */
export function writeZip(
  parts: readonly ZipPart[],
  options: { zip64?: boolean; comment?: string } = {},
): Uint8Array {
  const pieces: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const part of parts) {
    const content = Buffer.from(part.content);
    const packed = part.stored === true ? content : deflateRawSync(content);
    const name = Buffer.from(part.name);
    const method = part.method ?? (part.stored === true ? 0 : 8);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(part.flags ?? 0, 6);
    local.writeUInt16LE(method, 8);
    local.writeUInt16LE(name.length, 26);
    pieces.push(local, name, packed);
    directory.push(centralHeader(part, { name, method, at, content, packed }));
    at += 30 + name.length + packed.length;
  }
  const central = Buffer.concat(directory);
  return Buffer.concat([...pieces, central, end(parts.length, central.length, at, options)]);
}

function centralHeader(
  part: ZipPart,
  entry: { name: Buffer; method: number; at: number; content: Buffer; packed: Buffer },
): Buffer {
  const size = part.compressedSize ?? entry.packed.length;
  const extra = part.zip64 === true ? Buffer.alloc(4 + 24) : Buffer.alloc(0);
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(part.flags ?? 0, 8);
  header.writeUInt16LE(entry.method, 10);
  header.writeUInt16LE(entry.name.length, 28);
  header.writeUInt16LE(extra.length, 30);
  if (part.zip64 === true) {
    extra.writeUInt16LE(1, 0);
    extra.writeUInt16LE(24, 2);
    [entry.content.length, size, entry.at].forEach((value, index) =>
      extra.writeBigUInt64LE(BigInt(value), 4 + index * 8),
    );
    for (const field of [20, 24, 42]) header.writeUInt32LE(0xffffffff, field);
  } else {
    header.writeUInt32LE(size, 20);
    header.writeUInt32LE(entry.content.length, 24);
    header.writeUInt32LE(entry.at, 42);
  }
  return Buffer.concat([header, entry.name, extra]);
}

function end(
  count: number,
  size: number,
  at: number,
  { zip64 = false, comment = "" }: { zip64?: boolean; comment?: string },
): Buffer {
  const record = Buffer.alloc(22);
  record.writeUInt32LE(0x06054b50, 0);
  record.writeUInt16LE(zip64 ? 0xffff : count, 10);
  record.writeUInt32LE(zip64 ? 0xffffffff : size, 12);
  record.writeUInt32LE(zip64 ? 0xffffffff : at, 16);
  record.writeUInt16LE(comment.length, 20);
  if (!zip64) return Buffer.concat([record, Buffer.from(comment)]);
  const wide = Buffer.alloc(56);
  wide.writeUInt32LE(0x06064b50, 0);
  wide.writeBigUInt64LE(BigInt(count), 32);
  wide.writeBigUInt64LE(BigInt(size), 40);
  wide.writeBigUInt64LE(BigInt(at), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(at + size), 8);
  return Buffer.concat([wide, locator, record, Buffer.from(comment)]);
}
