import { createHash } from "node:crypto";
import type { ByteRange, FileStore } from "#core/files/file-store.ts";

export interface MemoryFiles extends FileStore {
  contents: Map<string, Uint8Array>;
}

function partOf(bytes: Uint8Array, range: ByteRange): Uint8Array {
  if ("suffix" in range) return bytes.slice(-range.suffix);
  if (range.length === 0) throw new Error("The requested range is not satisfiable"); // as R2 does
  return bytes.slice(range.offset, range.length && range.offset + range.length);
}

/** A file store for tests of what is written to one; files in parts are not among them. */
export function memoryFiles(): MemoryFiles {
  const contents = new Map<string, Uint8Array>();
  const factsOf = (bytes: Uint8Array) => ({
    size: bytes.length,
    contentType: "application/octet-stream",
    etag: '"x"',
    storedAt: new Date(),
  });
  const noParts = () => Promise.reject(new Error("These tests store no files in parts"));
  return {
    contents,
    async put(key, body) {
      const bytes = new Uint8Array(await new Response(body as BodyInit).arrayBuffer()); // Node's own types of streams differ from the Workers'
      contents.set(key, bytes);
      return factsOf(bytes);
    },
    async head(key) {
      const bytes = contents.get(key);
      return bytes ? factsOf(bytes) : null;
    },
    async get(key, range) {
      const bytes = contents.get(key);
      const part = bytes && (range ? partOf(bytes, range) : bytes);
      const body = part && (new Response(part as BodyInit).body ?? new Blob().stream()); // an empty one has none
      return bytes && body ? { body, facts: factsOf(bytes) } : null;
    },
    async sha256(key) {
      const bytes = contents.get(key);
      return bytes ? createHash("sha256").update(bytes).digest("hex") : null;
    },
    async delete(keys) {
      for (const key of keys) contents.delete(key);
    },
    async list(prefix) {
      const keys = [...contents.keys()].filter((key) => key.startsWith(prefix)).sort();
      return { keys: keys.map((key) => ({ key, storedAt: new Date() })), cursor: null };
    },
    startParts: noParts,
    putPart: noParts,
    completeParts: noParts,
    abortParts: noParts,
  };
}
