import { Buffer } from "node:buffer";
import { fetchFile } from "./fetch-file.ts";

/** A photo goes to the model inside of a JSON body of at most 10 MB, in base64, which is a third longer. */
export const PHOTO_LIMIT = 7 * 1024 * 1024;

/** The image formats that models take, by the bytes with which they begin. */
const SIGNATURES: [type: string, bytes: number[]][] = [
  ["image/png", [0x89, 0x50, 0x4e, 0x47]],
  ["image/gif", [0x47, 0x49, 0x46, 0x38]],
  ["image/webp", [0x52, 0x49, 0x46, 0x46]],
];

/** A photo from Telegram as a data URL; null where Telegram does not give it. */
export async function fetchPhoto(
  parts: Parameters<typeof fetchFile>[0],
  fileId: string,
): Promise<string | null> {
  const bytes = await fetchFile(parts, fileId, PHOTO_LIMIT);
  if (bytes === null || bytes.length === 0) return null;
  return `data:${imageType(bytes)};base64,${Buffer.from(bytes).toString("base64")}`;
}

function imageType(bytes: Uint8Array): string {
  return (
    SIGNATURES.find(([, signature]) =>
      signature.every((byte, index) => bytes[index] === byte),
    )?.[0] ?? "image/jpeg"
  );
}
