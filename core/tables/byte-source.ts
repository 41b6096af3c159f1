/** A file that can be read from any byte: an object of R2, a file on disk, bytes in memory. */
export interface ByteSource {
  /** In bytes. */
  readonly size: number;
  /**
   * The bytes from `from` up to, and without, `to`; to the end where `to` is not given. May be called several times,
   * also while an earlier stream is still open.
   */
  stream(from: number, to?: number): Promise<ReadableStream<Uint8Array>>;
}

/** Bytes in memory as a file. `chunkBytes` is how much each read gives. */
export function bytesSource(bytes: Uint8Array, chunkBytes = 65_536): ByteSource {
  return {
    size: bytes.length,
    stream: async (from, to = bytes.length) => {
      let at = from;
      return new ReadableStream<Uint8Array>({
        pull(controller) {
          const end = Math.min(at + chunkBytes, to, bytes.length);
          if (end > at) controller.enqueue(bytes.slice(at, end));
          at = end;
          if (at >= to || at >= bytes.length) controller.close();
        },
      });
    },
  };
}

/** All bytes of a range that is known to be small. Fewer where the file ends before. */
export async function readBytes(
  source: ByteSource,
  from: number,
  to: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const end = Math.min(to, source.size);
  const bytes = new Uint8Array(Math.max(0, end - from));
  if (bytes.length === 0) return bytes;
  const reader = (await source.stream(from, end)).getReader();
  let filled = 0;
  try {
    while (filled < bytes.length) {
      const { done, value } = await reader.read();
      if (done) break;
      bytes.set(value.subarray(0, bytes.length - filled), filled);
      filled += value.length;
    }
  } finally {
    await reader.cancel();
  }
  return bytes.subarray(0, Math.min(filled, bytes.length));
}
