import { createHash, randomUUID } from "node:crypto";
import type { FileFacts, FileStore, StoredPart } from "#core/files/file-store.ts";

interface StoredFile {
  bytes: Buffer;
  facts: FileFacts;
}

/** Files in memory, by the store's rules: for tests of what core does with them. */
export class MemoryFileStore implements FileStore {
  readonly files = new Map<string, StoredFile>();
  readonly open = new Map<string, { contentType: string; parts: Map<number, Buffer> }>();

  async put(
    key: string,
    body: ReadableStream<Uint8Array> | Uint8Array | string,
    { contentType, size }: { contentType: string; size?: number },
  ): Promise<FileFacts> {
    const bytes = await bytesOf(body);
    if (size !== undefined && bytes.length !== size) throw new Error("Not as many bytes as said");
    return this.#store(key, bytes, contentType);
  }

  async head(key: string): Promise<FileFacts | null> {
    return this.files.get(key)?.facts ?? null;
  }

  async get(key: string, range?: { offset: number; length?: number } | { suffix: number }) {
    const file = this.files.get(key);
    if (!file) return null;
    const { length } = file.bytes;
    const from = range === undefined ? 0 : "suffix" in range ? length - range.suffix : range.offset;
    const to = range !== undefined && "length" in range ? from + (range.length ?? length) : length;
    if (range !== undefined && from >= to)
      throw new Error("The requested range is not satisfiable"); // as R2 does
    return {
      body: new Blob([new Uint8Array(file.bytes.subarray(from, to))]).stream(),
      facts: file.facts,
    };
  }

  async sha256(key: string): Promise<string | null> {
    const file = this.files.get(key);
    return file ? createHash("sha256").update(file.bytes).digest("hex") : null;
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) this.files.delete(key);
  }

  async list(prefix: string) {
    const keys = [...this.files].filter(([key]) => key.startsWith(prefix)).sort();
    return {
      keys: keys.map(([key, { facts }]) => ({ key, storedAt: facts.storedAt })),
      cursor: null,
    };
  }

  async startParts(_key: string, contentType: string): Promise<string> {
    const id = randomUUID();
    this.open.set(id, { contentType, parts: new Map() });
    return id;
  }

  async putPart(
    _key: string,
    partsId: string,
    number: number,
    body: ReadableStream<Uint8Array> | Uint8Array,
    size: number,
  ): Promise<StoredPart> {
    const bytes = await bytesOf(body);
    if (bytes.length !== size) throw new TypeError("Not as many bytes as said");
    this.#parts(partsId).parts.set(number, bytes);
    return { number, etag: etagOf(bytes) };
  }

  async completeParts(
    key: string,
    partsId: string,
    parts: readonly StoredPart[],
  ): Promise<FileFacts> {
    const { contentType, parts: stored } = this.#parts(partsId);
    const pieces = parts.map(({ number, etag }) => {
      const piece = stored.get(number);
      if (!piece || etagOf(piece) !== etag) throw new Error(`There is no such part ${number}`);
      return piece;
    });
    this.open.delete(partsId);
    return this.#store(key, Buffer.concat(pieces), contentType);
  }

  async abortParts(_key: string, partsId: string): Promise<void> {
    this.open.delete(partsId);
  }

  #parts(partsId: string) {
    const open = this.open.get(partsId);
    if (!open) throw new Error("There is no such upload in parts");
    return open;
  }

  #store(key: string, bytes: Buffer, contentType: string): FileFacts {
    const facts = { size: bytes.length, contentType, etag: etagOf(bytes), storedAt: new Date() };
    this.files.set(key, { bytes, facts });
    return facts;
  }
}

const etagOf = (bytes: Buffer) => `"${createHash("md5").update(bytes).digest("hex")}"`;

async function bytesOf(body: ReadableStream<Uint8Array> | Uint8Array | string): Promise<Buffer> {
  if (typeof body === "string") return Buffer.from(body);
  if (body instanceof Uint8Array) return Buffer.from(body);
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces);
}
