import type { CsvEncoding } from "./csv-position.ts";

/** By the mark at the beginning, or by where the zero bytes of UTF-16 stand. */
export function detectEncoding(head: Uint8Array): {
  encoding: CsvEncoding;
  /** Its length in bytes. */
  byteOrderMark: number;
} {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) {
    return { encoding: "utf-8", byteOrderMark: 3 };
  }
  if (head[0] === 0xff && head[1] === 0xfe) return { encoding: "utf-16le", byteOrderMark: 2 };
  if (head[0] === 0xfe && head[1] === 0xff) return { encoding: "utf-16be", byteOrderMark: 2 };
  const zeros = [0, 0];
  const looked = Math.min(head.length, 4_096);
  for (let index = 0; index < looked; index += 1) {
    if (head[index] === 0) zeros[index % 2] = (zeros[index % 2] ?? 0) + 1;
  }
  const [even = 0, odd = 0] = zeros;
  if (odd > looked / 8 && even === 0) return { encoding: "utf-16le", byteOrderMark: 0 };
  if (even > looked / 8 && odd === 0) return { encoding: "utf-16be", byteOrderMark: 0 };
  return { encoding: "ascii", byteOrderMark: 0 };
}

/** How many bytes a code unit takes, where all take equally many. */
export const unitBytes = (encoding: CsvEncoding): 1 | 2 =>
  encoding === "utf-16le" || encoding === "utf-16be" ? 2 : 1;

/**
 * The text of bytes that end with a whole character. While all is ASCII the encoding stays open; the first text that is
 * not decides it.
 */
export function decodeText(
  bytes: Uint8Array,
  encoding: CsvEncoding,
): { text: string; encoding: CsvEncoding } {
  if (encoding !== "ascii") return { text: decodeAs(bytes, encoding), encoding };
  const text = decodeAs(bytes, "utf-8");
  if (text.length === bytes.length && !text.includes("\ufffd")) return { text, encoding };
  if (isUtf8(text)) return { text, encoding: "utf-8" };
  return { text: decodeAs(bytes, "windows-1252"), encoding: "windows-1252" };
}

function decodeAs(bytes: Uint8Array, encoding: Exclude<CsvEncoding, "ascii">): string {
  return new TextDecoder(encoding, { fatal: false, ignoreBOM: true }).decode(bytes);
}

/** Exports cut long texts in the middle of a character, so a few wrong bytes among right characters prove nothing. */
function isUtf8(decoded: string): boolean {
  let wrong = 0;
  let right = 0;
  // oxlint-disable-next-line no-control-regex -- everything that is not ASCII
  for (const [character] of decoded.matchAll(/[^\u0000-\u007f]/g)) {
    if (character === "\ufffd") wrong += 1;
    else right += 1;
  }
  return right > wrong;
}
