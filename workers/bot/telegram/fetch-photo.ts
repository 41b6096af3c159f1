import { Buffer } from "node:buffer";
import type { Api } from "grammy";
import type { Logger } from "#core/kernel/log.ts";
import type { BotDeps } from "../deps.ts";

/** A photo goes to the model inside of a JSON body of at most 10 MB, in base64, which is a third longer. */
export const PHOTO_LIMIT = 7 * 1024 * 1024;
const FETCH_MS = 30_000;

/** The image formats that models take, by the bytes with which they begin. */
const SIGNATURES: [type: string, bytes: number[]][] = [
  ["image/png", [0x89, 0x50, 0x4e, 0x47]],
  ["image/gif", [0x47, 0x49, 0x46, 0x38]],
  ["image/webp", [0x52, 0x49, 0x46, 0x46]],
];

/** A photo from Telegram as a data URL; null where Telegram does not give it. Its own URL holds the bot's token, and goes nowhere. */
export async function fetchPhoto(
  parts: { telegram: Api; deps: BotDeps; log: Logger },
  fileId: string,
): Promise<string | null> {
  const { settings } = parts.deps;
  try {
    const { file_path: path } = await parts.telegram.getFile(fileId);
    if (!path) return null;
    const response = await fetch(
      `${settings.TELEGRAM_API_ROOT}/file/bot${settings.TELEGRAM_BOT_TOKEN}/${path}`,
      { signal: AbortSignal.timeout(FETCH_MS) },
    );
    if (!response.ok || Number(response.headers.get("content-length") ?? 0) > PHOTO_LIMIT) {
      await response.body?.cancel();
      return null;
    }
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (bytes.length === 0 || bytes.length > PHOTO_LIMIT) return null;
    return `data:${imageType(bytes)};base64,${Buffer.from(bytes).toString("base64")}`;
  } catch {
    // The error of a failed fetch can hold the address, and the address holds the token.
    parts.log.warn("telegram_photo_failed", { file_id: fileId });
    return null;
  }
}

function imageType(bytes: Uint8Array): string {
  return (
    SIGNATURES.find(([, signature]) =>
      signature.every((byte, index) => bytes[index] === byte),
    )?.[0] ?? "image/jpeg"
  );
}
