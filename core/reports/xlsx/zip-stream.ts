import { crc32 } from "./crc32.ts";

/** 4 GiB: beyond it a file would need ZIP64, which nothing here comes near. */
const MOST_BYTES = 0xffff_ffff;
/** Of 1 January 1980, the first day that ZIP can tell; the real time is in the workbook's properties. */
const NO_TIME = 0x0021;
/** Names are UTF-8, and sizes follow the content. */
const FLAGS = 0x0808;
const DEFLATE = 8;

interface Entry {
  name: Uint8Array;
  offset: number;
  crc: number;
  compressed: number;
  size: number;
}

/** Writes a ZIP file as a stream, entry after entry; of what was written it keeps only the directory. */
export class ZipStream {
  readonly #write: (bytes: Uint8Array) => Promise<void>;
  readonly #encoder = new TextEncoder();
  readonly #entries: Entry[] = [];
  #offset = 0;

  constructor(write: (bytes: Uint8Array) => Promise<void>) {
    this.#write = write;
  }

  /** Adds a file of text. */
  async add(name: string, content: string | Iterable<string>): Promise<void> {
    const entry: Entry = {
      name: this.#encoder.encode(name),
      offset: this.#offset,
      crc: 0,
      compressed: 0,
      size: 0,
    };
    await this.#put(localHeader(entry));
    const compression = new CompressionStream("deflate-raw");
    await Promise.all([
      this.#feed(compression.writable, entry, typeof content === "string" ? [content] : content),
      this.#drain(compression.readable, entry),
    ]);
    await this.#put(dataDescriptor(entry));
    this.#entries.push(entry);
  }

  /** Writes the directory; nothing can be added after it. */
  async end(): Promise<void> {
    const start = this.#offset;
    for (const entry of this.#entries) await this.#put(directoryEntry(entry));
    await this.#put(directoryEnd(this.#entries.length, start, this.#offset - start));
  }

  async #feed(
    writable: WritableStream<BufferSource>,
    entry: Entry,
    content: Iterable<string>,
  ): Promise<void> {
    const writer = writable.getWriter();
    try {
      for (const text of content) {
        const bytes = this.#encoder.encode(text);
        entry.crc = crc32(bytes, entry.crc);
        entry.size += bytes.length;
        await writer.write(bytes);
      }
      await writer.close();
    } catch (error) {
      await writer.abort(error).catch(() => undefined); // the reader fails with the same error
      throw error;
    }
  }

  async #drain(readable: ReadableStream<Uint8Array>, entry: Entry): Promise<void> {
    for await (const bytes of readable) {
      entry.compressed += bytes.length;
      await this.#put(bytes);
    }
  }

  async #put(bytes: Uint8Array): Promise<void> {
    this.#offset += bytes.length;
    if (this.#offset > MOST_BYTES) throw new RangeError("The file would be larger than 4 GiB.");
    await this.#write(bytes);
  }
}

function localHeader(entry: Entry): Uint8Array {
  return record(30, entry.name, (view) => {
    view.setUint32(0, 0x04034b50, true);
    view.setUint16(4, 20, true);
    view.setUint16(6, FLAGS, true);
    view.setUint16(8, DEFLATE, true);
    view.setUint16(12, NO_TIME, true);
    view.setUint16(26, entry.name.length, true);
  });
}

function dataDescriptor({ crc, compressed, size }: Entry): Uint8Array {
  return record(16, new Uint8Array(), (view) => {
    view.setUint32(0, 0x08074b50, true);
    view.setUint32(4, crc, true);
    view.setUint32(8, compressed, true);
    view.setUint32(12, size, true);
  });
}

function directoryEntry(entry: Entry): Uint8Array {
  return record(46, entry.name, (view) => {
    view.setUint32(0, 0x02014b50, true);
    view.setUint16(4, 20, true);
    view.setUint16(6, 20, true);
    view.setUint16(8, FLAGS, true);
    view.setUint16(10, DEFLATE, true);
    view.setUint16(14, NO_TIME, true);
    view.setUint32(16, entry.crc, true);
    view.setUint32(20, entry.compressed, true);
    view.setUint32(24, entry.size, true);
    view.setUint16(28, entry.name.length, true);
    view.setUint32(42, entry.offset, true);
  });
}

function directoryEnd(count: number, start: number, size: number): Uint8Array {
  return record(22, new Uint8Array(), (view) => {
    view.setUint32(0, 0x06054b50, true);
    view.setUint16(8, count, true);
    view.setUint16(10, count, true);
    view.setUint32(12, size, true);
    view.setUint32(16, start, true);
  });
}

function record(size: number, tail: Uint8Array, fill: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(size + tail.length);
  fill(new DataView(bytes.buffer));
  bytes.set(tail, size);
  return bytes;
}
