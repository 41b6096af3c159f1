import { withNative } from "../../../providers/kinds/anthropic/native.ts";
import { type Fields, fieldsAt, listAt, textAt, unsupported } from "../fields.ts";

/** A part of a chat completion's message. */
export type ContentPart =
  | { type: "text"; text: string }
  | { type: "image_url"; image_url: { url: string } }
  | { type: "file"; file: { filename: string; file_data: string } };

/** A text, or blocks of text joined by lines. @throws AppError `invalid_request` */
export function readText(value: unknown, path: string): string {
  if (typeof value === "string") return value;
  const texts = listAt(value, path).map((item, index) => {
    const block = fieldsAt(item, `${path}.${index}`);
    if (block["type"] !== "text")
      throw unsupported(`${path}.${index}.type`, "only text can stand here.");
    return textAt(block["text"], `${path}.${index}.text`);
  });
  return texts.join("\n");
}

/** One text alone is a plain text, which every provider takes. */
export function plainContent(parts: ContentPart[]): string | ContentPart[] {
  const [first] = parts;
  return parts.length === 1 && first?.type === "text" ? first.text : parts;
}

/** What the user, or a tool, shows the model. @throws AppError `invalid_request` for what cannot be passed on */
export function readContent(block: Fields, path: string): ContentPart[] {
  const parts = readParts(block, path);
  const last = parts.at(-1);
  if (last) withNative(last, { cache_control: block["cache_control"] });
  return parts;
}

/** A text, with its mark of the cache. */
export function textPart(text: string, block: Fields): ContentPart {
  return withNative({ type: "text", text }, { cache_control: block["cache_control"] });
}

function readParts(block: Fields, path: string): ContentPart[] {
  if (block["type"] === "document") return readDocument(block, path);
  if (block["type"] === "search_result") return [readSearchResult(block, path)];
  return [readShown(block, path)];
}

/** A text or a picture. */
function readShown(block: Fields, path: string): ContentPart {
  if (block["type"] === "text")
    return { type: "text", text: textAt(block["text"], `${path}.text`) };
  if (block["type"] === "image")
    return readImage(fieldsAt(block["source"], `${path}.source`), `${path}.source`);
  const named = JSON.stringify(block["type"] ?? null).slice(0, 100);
  throw unsupported(`${path}.type`, `blocks of the type ${named} cannot be passed on from here.`);
}

function readImage(source: Fields, path: string): ContentPart {
  const { type } = source;
  if (type === "url")
    return { type: "image_url", image_url: { url: textAt(source["url"], `${path}.url`) } };
  if (type === "base64") {
    const mediaType = textAt(source["media_type"], `${path}.media_type`);
    const url = `data:${mediaType};base64,${textAt(source["data"], `${path}.data`)}`;
    return { type: "image_url", image_url: { url } };
  }
  throw unsupported(
    `${path}.type`,
    "send images as base64 or url; there are no stored files here.",
  );
}

/** Texts go as text; PDF files go on as files, which some providers take. */
function readDocument(block: Fields, path: string): ContentPart[] {
  const source = fieldsAt(block["source"], `${path}.source`);
  const title = typeof block["title"] === "string" ? block["title"] : null;
  const heading = title === null ? "" : `${title}\n`;
  switch (source["type"]) {
    case "text":
      return [{ type: "text", text: heading + textAt(source["data"], `${path}.source.data`) }];
    case "content": {
      const { content } = source;
      const parts: ContentPart[] =
        typeof content === "string"
          ? [{ type: "text", text: content }]
          : listAt(content, `${path}.source.content`).map((item, index) => {
              const at = `${path}.source.content.${index}`;
              return readShown(fieldsAt(item, at), at);
            });
      return heading === "" ? parts : [{ type: "text", text: heading }, ...parts];
    }
    case "base64": {
      const mediaType = textAt(source["media_type"], `${path}.source.media_type`);
      const data = `data:${mediaType};base64,${textAt(source["data"], `${path}.source.data`)}`;
      return [{ type: "file", file: { filename: title ?? "document.pdf", file_data: data } }];
    }
    default:
      throw unsupported(
        `${path}.source.type`,
        "send documents as base64, text or content; this gateway fetches no addresses and stores no files.",
      );
  }
}

function readSearchResult(block: Fields, path: string): ContentPart {
  const title = textAt(block["title"], `${path}.title`);
  const source = textAt(block["source"], `${path}.source`);
  return {
    type: "text",
    text: `${title}\n${source}\n${readText(block["content"], `${path}.content`)}`,
  };
}
