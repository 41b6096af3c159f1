import type { CsvEncoding } from "../../tables/csv/csv-position.ts";

const utf8 = new TextEncoder();

/** Text as the bytes of an encoding. What Windows-1252 does not have becomes a question mark. */
export function encodeText(text: string, encoding: CsvEncoding): Uint8Array {
  switch (encoding) {
    case "ascii":
    case "utf-8":
      return utf8.encode(text);
    case "utf-16le":
    case "utf-16be": {
      const view = new DataView(new ArrayBuffer(text.length * 2));
      for (let at = 0; at < text.length; at++)
        view.setUint16(at * 2, text.charCodeAt(at), encoding === "utf-16le");
      return new Uint8Array(view.buffer);
    }
    case "windows-1252":
      return Uint8Array.from(text, (character) => WINDOWS_1252.get(character) ?? 0x3f);
  }
}

/** Each byte's character, as the platform reads it. */
const WINDOWS_1252 = new Map(
  [
    ...new TextDecoder("windows-1252").decode(Uint8Array.from({ length: 256 }, (_, byte) => byte)),
  ].map((character, byte) => [character, byte] as const),
);
