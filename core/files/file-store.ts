/** A file as the store knows it. */
export interface FileFacts {
  /** Bytes. */
  size: number;
  contentType: string;
  /** Changes with the content; quoted, as HTTP wants it. */
  etag: string;
  storedAt: Date;
}

/** Bytes `offset` to `offset + length`; without a length, to the end. `suffix` asks for the last bytes. */
export type ByteRange = { offset: number; length?: number } | { suffix: number };

/** A part of a file that is sent in parts, as the store confirmed it. */
export interface StoredPart {
  /** From 1. */
  number: number;
  etag: string;
}

/**
 * Where files are: uploads, results of jobs, reports. They are streamed, never whole in memory. Keys begin with the
 * team's id, so that no key of one team can name a file of another: `team_…/uploads/upl_…`, `team_…/jobs/job_…/name`.
 * Every method throws where the store cannot be reached.
 */
export interface FileStore {
  /** Replaces what is there. A stream whose size is not said is stored in parts as it comes. */
  put(
    key: string,
    body: ReadableStream<Uint8Array> | Uint8Array | string,
    options: { contentType: string; size?: number },
  ): Promise<FileFacts>;
  head(key: string): Promise<FileFacts | null>;
  /** Null where there is no such file. A range beyond the end gives what there is. */
  get(
    key: string,
    range?: ByteRange,
  ): Promise<{ body: ReadableStream<Uint8Array>; facts: FileFacts } | null>;
  /** SHA-256 of a file's content, hex; null where there is no such file. Reads all of it, and holds none. */
  sha256(key: string): Promise<string | null>;
  /** No error where a file is not there. */
  delete(keys: readonly string[]): Promise<void>;
  /** Up to 1,000 keys in alphabetical order. */
  list(
    prefix: string,
    cursor?: string,
  ): Promise<{ keys: { key: string; storedAt: Date }[]; cursor: string | null }>;
  /** Begins a file in parts; every part but the last has the same size, 5 MiB at least. @returns the store's own id of it */
  startParts(key: string, contentType: string): Promise<string>;
  /** The same part again replaces it. A stream has `size` bytes, or the store refuses it. */
  putPart(
    key: string,
    partsId: string,
    number: number,
    body: ReadableStream<Uint8Array> | Uint8Array,
    size: number,
  ): Promise<StoredPart>;
  completeParts(key: string, partsId: string, parts: readonly StoredPart[]): Promise<FileFacts>;
  /** No error where it was ended before. */
  abortParts(key: string, partsId: string): Promise<void>;
}
