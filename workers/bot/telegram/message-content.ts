import type { Message, PhotoSize } from "grammy/types";

export type UnsupportedKind = "voice" | "audio" | "video" | "document" | "sticker" | "other";

/** What a message holds, as far as the bot is concerned. */
export type MessageContent =
  | { kind: "text"; text: string }
  | { kind: "photo"; sizes: PhotoSize[]; caption: string }
  | { kind: "unsupported"; what: UnsupportedKind }
  /** A service message, or something newer than this code: nobody waits for an answer to it. */
  | { kind: "nothing" };

/** Content that people send and we cannot use. Everything else that is not text or a photo is a service message. */
const UNSUPPORTED: Record<string, UnsupportedKind> = {
  voice: "voice",
  audio: "audio",
  video: "video",
  video_note: "video",
  animation: "video",
  document: "document",
  sticker: "sticker",
  contact: "other",
  location: "other",
  venue: "other",
  poll: "other",
  dice: "other",
  game: "other",
  story: "other",
  paid_media: "other",
  checklist: "other",
  rich_message: "other",
  live_photo: "other",
};

/** Reads a message's content, whatever odd mixture of fields it came with. */
export function contentOf(message: Partial<Message>): MessageContent {
  if (typeof message.text === "string" && message.text.trim() !== "")
    return { kind: "text", text: message.text };
  if (Array.isArray(message.photo) && message.photo.length > 0) {
    return {
      kind: "photo",
      sizes: message.photo,
      caption: typeof message.caption === "string" ? message.caption : "",
    };
  }
  for (const [field, what] of Object.entries(UNSUPPORTED)) {
    if (field in message) return { kind: "unsupported", what };
  }
  return { kind: "nothing" };
}

/** The largest size of a photo that is within the limit, or null. A size that Telegram does not tell counts as small. */
export function photoWithin(sizes: PhotoSize[], limitBytes: number): PhotoSize | null {
  const fitting = sizes.filter(
    (size) => typeof size.file_id === "string" && (size.file_size ?? 0) <= limitBytes,
  );
  return fitting.reduce<PhotoSize | null>(
    (best, size) => (best && area(best) > area(size) ? best : size),
    null,
  );
}

const area = (size: PhotoSize) => (size.width ?? 0) * (size.height ?? 0);
