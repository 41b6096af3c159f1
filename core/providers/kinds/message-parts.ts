import { type Fields, listOf, objectOf } from "../../chat/loose-json.ts";
import { malformed } from "./kind.ts";

/** One part of a message's content. `raw` is the part as the client sent it. */
export type MessagePart =
  | { type: "text"; text: string; raw: Fields }
  | { type: "image" | "audio" | "file"; source: PartSource; path: string; raw: Fields };

export type PartSource =
  | { from: "data"; mediaType: string; base64: string }
  | { from: "url"; url: string }
  /** A file that was uploaded to OpenAI. */
  | { from: "id"; id: string };

/**
 * What stands for a user who has said nothing: OpenAI takes conversations that the assistant began, or that have only
 * instructions, and others do not.
 */
export const NO_WORDS = ".";

/**
 * Reads a message's content. Texts without a character are left out: most providers refuse them.
 * @param path where it stands, such as `messages[2].content`
 * @throws AppError `invalid_request`
 */
export function partsOf(content: unknown, path: string): MessagePart[] {
  if (typeof content === "string") return content === "" ? [] : [textPart(content, {})];
  return listOf(content)
    .map((part, index) => readPart(objectOf(part), `${path}[${index}]`))
    .filter((part) => part.type !== "text" || part.text !== "");
}

/**
 * A message's content where nothing but text can stand.
 * @throws AppError `invalid_request`
 */
export function textOf(content: unknown, path: string): string {
  return partsOf(content, path)
    .map((part) => {
      if (part.type === "text") return part.text;
      throw malformed(part.path, "can be nothing but text in a message of this role");
    })
    .join("\n");
}

function readPart(part: Fields, path: string): MessagePart {
  switch (part["type"]) {
    case "text":
      return textPart(requireText(part["text"], `${path}.text`), part);
    case "refusal":
      return textPart(requireText(part["refusal"], `${path}.refusal`), part);
    case "image_url": {
      const { image_url: image } = part;
      const address = typeof image === "string" ? image : objectOf(image)["url"];
      const url = requireText(address, `${path}.image_url.url`);
      return { type: "image", source: addressOf(url, `${path}.image_url.url`), path, raw: part };
    }
    case "input_audio": {
      const { data, format } = objectOf(part["input_audio"]);
      const base64 = requireText(data, `${path}.input_audio.data`);
      const mediaType = `audio/${requireText(format, `${path}.input_audio.format`)}`;
      return { type: "audio", source: { from: "data", mediaType, base64 }, path, raw: part };
    }
    case "file":
      return { type: "file", source: fileOf(objectOf(part["file"]), path), path, raw: part };
    default:
      throw malformed(
        `${path}.type`,
        "must be text, image_url, input_audio or file, or refusal in the assistant's own messages",
      );
  }
}

function textPart(text: string, raw: Fields): MessagePart {
  return { type: "text", text, raw };
}

function fileOf(file: Fields, path: string): PartSource {
  const { file_data: data, file_id: id } = file;
  if (typeof data === "string") return addressOf(data, `${path}.file.file_data`);
  if (typeof id === "string") return { from: "id", id };
  throw malformed(`${path}.file`, "must have file_data");
}

/** A `data:` address in base64, or one on the web. */
function addressOf(url: string, path: string): PartSource {
  if (/^https:\/\//i.test(url)) return { from: "url", url };
  const comma = url.indexOf(",");
  const head = /^data:([^;,]+)(?:;[^;,]+)*;base64$/i.exec(url.slice(0, Math.max(0, comma)));
  const mediaType = head?.[1];
  if (!mediaType) throw malformed(path, "must be an https address, or data:…;base64,…");
  return { from: "data", mediaType: mediaType.toLowerCase(), base64: url.slice(comma + 1) };
}

function requireText(value: unknown, path: string): string {
  if (typeof value === "string") return value;
  throw malformed(path, "must be a text");
}
