import type { ByteSource } from "../byte-source.ts";
import { contentStart, damaged, type ZipEntry } from "./zip-directory.ts";

/** From where on the ratio is looked at: small parts may well be nearly nothing but repetition. */
const FREE_BYTES = 64 * 1_048_576;
/** Sheets come to 5 to 40 times of what they are packed; deflate can do 1,032. */
const MOST_RATIO = 250;

/**
 * The text of an entry, piece by piece. A piece may end anywhere between two characters.
 *
 * @param mostBytes unpacked; a part that is larger is refused in the middle
 * @throws AppError `validation_failed` for a damaged entry, and for one that unpacks to far more than it should
 */
export async function* inflateEntry(
  source: ByteSource,
  entry: ZipEntry,
  mostBytes: number,
): AsyncGenerator<string, void, undefined> {
  const start = await contentStart(source, entry);
  const packed = await source.stream(start, start + entry.compressedSize);
  const stream = entry.method === 0 ? packed : packed.pipeThrough(inflater());
  const reader = stream.getReader();
  const mostHere = Math.min(mostBytes, Math.max(FREE_BYTES, entry.compressedSize * MOST_RATIO));
  let decoder: TextDecoder | null = null;
  let total = 0;
  try {
    for (;;) {
      const { done, value } = await read(reader, entry);
      if (done) break;
      total += value.length;
      if (total > mostHere) throw damaged(`${entry.name} unpacks to more than it may`);
      decoder ??= decoderFor(value);
      const text = decoder.decode(value, { stream: true });
      if (text !== "") yield text;
    }
    const rest = decoder?.decode() ?? "";
    if (rest !== "") yield rest;
  } finally {
    // An error of the stream was told by read(); one of its end tells nothing more.
    await reader.cancel().catch(() => undefined);
  }
}

/** The whole text of a small part. */
export async function inflateText(
  source: ByteSource,
  entry: ZipEntry,
  mostBytes: number,
): Promise<string> {
  let text = "";
  for await (const piece of inflateEntry(source, entry, mostBytes)) text += piece;
  return text;
}

function inflater(): ReadableWritablePair<Uint8Array, Uint8Array> {
  // The platform's type asks for a BufferSource where ours says Uint8Array, which is one.
  return new DecompressionStream("deflate-raw") as unknown as ReadableWritablePair<
    Uint8Array,
    Uint8Array
  >;
}

async function read(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  entry: ZipEntry,
): Promise<{ done: true; value?: undefined } | { done: false; value: Uint8Array }> {
  try {
    const { done, value } = await reader.read();
    return done ? { done } : { done, value };
  } catch (error) {
    // Of the store as well as of the packing: a job that tries again finds out which.
    throw error instanceof TypeError ? damaged(`${entry.name} is damaged`) : error;
  }
}

/** XML is UTF-8 unless a mark says UTF-16, which the standard allows and hardly anybody writes. */
function decoderFor(first: Uint8Array): TextDecoder {
  if (first[0] === 0xff && first[1] === 0xfe) return new TextDecoder("utf-16le");
  if (first[0] === 0xfe && first[1] === 0xff) return new TextDecoder("utf-16be");
  return new TextDecoder("utf-8");
}
