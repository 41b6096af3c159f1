import { inPieces } from "#core/files/in-pieces.ts";
import { toHex } from "#core/kernel/digest.ts";
import type { ByteRange, FileFacts, FileStore, StoredPart } from "#core/files/file-store.ts";

/** R2 wants parts of 5 MiB at least, all of one size but the last. */
const PART_BYTES = 8 * 1024 * 1024;

/** Files in R2. */
export function createFileStore(bucket: R2Bucket): FileStore {
  return {
    async put(key, body, { contentType, size }) {
      const httpMetadata = { contentType };
      if (!(body instanceof ReadableStream))
        return factsOf(stored(await bucket.put(key, body, { httpMetadata })));
      if (size === undefined) return putInParts(bucket, key, body, contentType);
      const sized = body.pipeThrough(new FixedLengthStream(size));
      return factsOf(stored(await bucket.put(key, sized, { httpMetadata })));
    },
    async head(key) {
      const object = await bucket.head(key);
      return object && factsOf(object);
    },
    async get(key, range) {
      const object = await bucket.get(key, range ? { range: range satisfies ByteRange } : {});
      return object && { body: object.body, facts: factsOf(object) };
    },
    async sha256(key) {
      const object = await bucket.head(key);
      if (object === null) return null;
      const digest = new crypto.DigestStream("SHA-256");
      const piece = async (offset: number, length: number) => {
        const onlyIf = { etagMatches: object.etag };
        const part = await bucket.get(key, { range: { offset, length }, onlyIf });
        if (part === null || !("body" in part)) throw new Error("The file changed meanwhile.");
        return part.body;
      };
      if (object.size > 0) await (await inPieces(piece, 0, object.size)).pipeTo(digest);
      else await digest.getWriter().close();
      return toHex(new Uint8Array(await digest.digest));
    },
    async delete(keys) {
      if (keys.length > 0) await bucket.delete([...keys]);
    },
    async list(prefix, cursor) {
      const page = await bucket.list({ prefix, ...(cursor === undefined ? {} : { cursor }) });
      const keys = page.objects.map(({ key, uploaded }) => ({ key, storedAt: uploaded }));
      return { keys, cursor: page.truncated ? page.cursor : null };
    },
    async startParts(key, contentType) {
      const upload = await bucket.createMultipartUpload(key, { httpMetadata: { contentType } });
      return upload.uploadId;
    },
    async putPart(key, partsId, number, body, size) {
      const sized =
        body instanceof ReadableStream ? body.pipeThrough(new FixedLengthStream(size)) : body;
      const part = await bucket.resumeMultipartUpload(key, partsId).uploadPart(number, sized);
      return { number: part.partNumber, etag: part.etag };
    },
    async completeParts(key, partsId, parts) {
      const upload = bucket.resumeMultipartUpload(key, partsId);
      return factsOf(
        await upload.complete(parts.map(({ number, etag }) => ({ partNumber: number, etag }))),
      );
    },
    async abortParts(key, partsId) {
      await bucket.resumeMultipartUpload(key, partsId).abort();
    },
  };
}

function factsOf(object: R2Object): FileFacts {
  return {
    size: object.size,
    contentType: object.httpMetadata?.contentType ?? "application/octet-stream",
    etag: object.httpEtag,
    storedAt: object.uploaded,
  };
}

/** Only a condition can keep R2 from storing, and none was given. */
function stored(object: R2Object | null): R2Object {
  if (!object) throw new Error("The file was not stored.");
  return object;
}

/** Gathers what comes into parts of one size, one in memory at a time. A short file is put as a whole. */
async function putInParts(
  bucket: R2Bucket,
  key: string,
  body: ReadableStream<Uint8Array>,
  contentType: string,
): Promise<FileFacts> {
  const httpMetadata = { contentType };
  let upload: R2MultipartUpload | null = null;
  const parts: StoredPart[] = [];
  try {
    for await (const part of partsOf(body)) {
      if (part.last && !upload)
        return factsOf(stored(await bucket.put(key, part.bytes, { httpMetadata })));
      upload ??= await bucket.createMultipartUpload(key, { httpMetadata });
      const { partNumber, etag } = await upload.uploadPart(parts.length + 1, part.bytes);
      parts.push({ number: partNumber, etag });
    }
    if (!upload) throw new Error("A stream without a last part.");
    return factsOf(
      await upload.complete(parts.map(({ number, etag }) => ({ partNumber: number, etag }))),
    );
  } catch (error) {
    await upload?.abort().catch(() => undefined); // R2 forgets it by itself after a week
    throw error;
  }
}

/** Parts of PART_BYTES, and a last one that may be shorter or, of an empty stream, empty. */
async function* partsOf(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<{ bytes: Uint8Array; last: boolean }> {
  let part = new Uint8Array(PART_BYTES);
  let filled = 0;
  let full: Uint8Array | null = null;
  for await (const chunk of body) {
    let rest = chunk;
    while (rest.length > 0) {
      if (full) {
        yield { bytes: full, last: false };
        full = null;
      }
      const fits = Math.min(rest.length, PART_BYTES - filled);
      part.set(rest.subarray(0, fits), filled);
      filled += fits;
      rest = rest.subarray(fits);
      if (filled === PART_BYTES) {
        full = part;
        part = new Uint8Array(PART_BYTES);
        filled = 0;
      }
    }
  }
  if (full && filled > 0) yield { bytes: full, last: false };
  yield full && filled === 0
    ? { bytes: full, last: true }
    : { bytes: part.subarray(0, filled), last: true };
}
