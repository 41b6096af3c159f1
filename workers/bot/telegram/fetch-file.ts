import type { Api } from "grammy";
import type { Logger } from "#core/kernel/log.ts";
import type { BotDeps } from "../deps.ts";

const FETCH_MS = 60_000;

/** A file from Telegram; null where Telegram does not give it. Its own address holds the bot's token, and goes nowhere. */
export async function fetchFile(
  parts: { telegram: Api; deps: BotDeps; log: Logger },
  fileId: string,
  limitBytes: number,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const { settings } = parts.deps;
  try {
    const { file_path: path } = await parts.telegram.getFile(fileId);
    if (!path) return null;
    const response = await fetch(
      `${settings.TELEGRAM_API_ROOT}/file/bot${settings.TELEGRAM_BOT_TOKEN}/${path}`,
      { signal: AbortSignal.timeout(FETCH_MS) },
    );
    if (!response.ok || Number(response.headers.get("content-length") ?? 0) > limitBytes) {
      await response.body?.cancel();
      return null;
    }
    const bytes = new Uint8Array(await response.arrayBuffer());
    return bytes.length > limitBytes ? null : bytes;
  } catch {
    // The error of a failed fetch can hold the address, and the address holds the token.
    parts.log.warn("telegram_file_failed", { file_id: fileId });
    return null;
  }
}
