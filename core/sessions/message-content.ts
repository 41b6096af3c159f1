import { z } from "zod";
import { isPublicHost } from "../kernel/public-address.ts";

/** The largest number of parts of a message. */
const PARTS_LIMIT = 100;
/** The longest address of a picture that is not in the message itself, in characters. */
const ADDRESS_LIMIT = 4_096;

const INLINE_PICTURE = /^data:(image\/(?:png|jpeg|gif|webp));base64,([A-Za-z0-9+/]+={0,2})$/;

const text = z.string().refine(isStorable, "must not hold NUL characters or broken Unicode");

const pictureUrl = z
  .string()
  .refine(
    isPicture,
    "must be a picture as data:image/png;base64,… (png, jpeg, gif or webp), or its https address on the public internet",
  );

const textPart = z.strictObject({ type: z.literal("text"), text });
const picturePart = z.strictObject({
  type: z.literal("image_url"),
  image_url: z.strictObject({
    url: pictureUrl,
    detail: z.enum(["auto", "low", "high"]).optional(),
  }),
});

const content = z.union([
  text,
  z.array(z.discriminatedUnion("type", [textPart, picturePart])).max(PARTS_LIMIT),
]);

/** A text, or parts with pictures among them, as OpenAI shapes them. */
export type MessageContent = z.infer<typeof content>;

/** What a message may say. */
export const messageContent = content.refine(saysSomething, "must not be empty");

/** A picture in a list of messages: sent inline, it is told of and not repeated. */
export interface ListedPicture {
  type: "image_url";
  image_url: { url: string | null; media_type?: string; bytes?: number };
}
export type ListedContent = string | (ListedPicture | { type: "text"; text: string })[];

/** Line breaks and tabs are fine; what no store takes is not. */
export function isStorable(value: string): boolean {
  return value.isWellFormed() && !value.includes("\u0000");
}

/** The provider fetches what stands behind an address, so one that leads into a network is refused here. */
function isPicture(url: string): boolean {
  if (url.startsWith("data:")) return INLINE_PICTURE.test(url);
  if (url.length > ADDRESS_LIMIT || !URL.canParse(url)) return false;
  const { protocol, username, password, hostname } = new URL(url);
  return protocol === "https:" && username === "" && password === "" && isPublicHost(hostname);
}

function saysSomething(content: MessageContent): boolean {
  if (typeof content === "string") return content.trim() !== "";
  return content.some((part) => part.type === "image_url" || part.text.trim() !== "");
}

/** How much the pictures within a message take, in bytes of its JSON. */
export function pictureBytes(content: MessageContent): number {
  if (typeof content === "string") return 0;
  let bytes = 0;
  for (const part of content)
    if (part.type === "image_url" && part.image_url.url.startsWith("data:"))
      bytes += part.image_url.url.length;
  return bytes;
}

/** A message whose inline pictures have been left out; that there were some stays. */
export function withoutPictures(content: MessageContent): MessageContent {
  if (typeof content === "string") return content;
  return content.map((part) =>
    part.type === "image_url" && part.image_url.url.startsWith("data:")
      ? { type: "text" as const, text: "[a picture that is not kept any more]" }
      : part,
  );
}

/** A message as a list shows it. */
export function listedContent(content: MessageContent): ListedContent {
  if (typeof content === "string") return content;
  return content.map((part) => {
    if (part.type === "text") return part;
    const inline = INLINE_PICTURE.exec(part.image_url.url);
    if (!inline) return { type: part.type, image_url: { url: part.image_url.url } };
    const [, mediaType = "", base64 = ""] = inline;
    const bytes = Math.floor((base64.replace(/=+$/, "").length * 3) / 4);
    return { type: part.type, image_url: { url: null, media_type: mediaType, bytes } };
  });
}
