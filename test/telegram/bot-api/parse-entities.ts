import type { MessageEntity } from "grammy/types";
import { badRequest } from "./bot-api-error.ts";

export interface FormattedText {
  text: string;
  entities: MessageEntity[];
}

const byteLength = (text: string) => new TextEncoder().encode(text).length;
const cannotParse = (why: string) => badRequest(`can't parse entities: ${why}`);

/** Parses as Telegram does, refusing what it refuses. @throws BotApiError 400 "can't parse entities" */
export function parseText(text: string, parseMode: unknown, given: unknown): FormattedText {
  if (parseMode === undefined || parseMode === "")
    return { text, entities: checkEntities(text, given) };
  switch (String(parseMode).toLowerCase()) {
    case "html":
      return parseHtml(text);
    case "markdownv2":
      return parseMarkdownV2(text);
    case "markdown":
      return parseLegacyMarkdown(text);
    default:
      throw badRequest("unsupported parse_mode");
  }
}

const ENTITY_TYPES = new Set([
  "mention",
  "hashtag",
  "cashtag",
  "bot_command",
  "url",
  "email",
  "phone_number",
  "bold",
  "italic",
  "underline",
  "strikethrough",
  "spoiler",
  "blockquote",
  "expandable_blockquote",
  "code",
  "pre",
  "text_link",
  "text_mention",
  "custom_emoji",
]);

/** Telegram drops entities that lie outside the text, and keeps at most 100. */
function checkEntities(text: string, given: unknown): MessageEntity[] {
  if (given === undefined || given === "") return [];
  if (!Array.isArray(given)) throw cannotParse("expected an Array of MessageEntity");
  const entities: MessageEntity[] = [];
  for (const one of given) {
    if (typeof one !== "object" || one === null) throw cannotParse("expected an Object");
    const { type, offset, length, url } = one as Record<string, unknown>; // an object, checked above
    if (typeof type !== "string" || !ENTITY_TYPES.has(type))
      throw cannotParse("Unsupported type specified");
    if (!Number.isInteger(offset) || !Number.isInteger(length))
      throw cannotParse('Field "offset" must be of type Number');
    if (type === "text_link" && typeof url !== "string")
      throw cannotParse('Can\'t find field "url"');
    const [from, size] = [Number(offset), Number(length)];
    if (from < 0 || size <= 0 || from + size > text.length) continue;
    entities.push(one as MessageEntity); // its fields were checked above
  }
  return entities.slice(0, 100);
}

const HTML_TAGS: Record<string, string> = {
  b: "bold",
  strong: "bold",
  i: "italic",
  em: "italic",
  u: "underline",
  ins: "underline",
  s: "strikethrough",
  strike: "strikethrough",
  del: "strikethrough",
  "tg-spoiler": "spoiler",
  span: "spoiler",
  a: "text_link",
  code: "code",
  pre: "pre",
  blockquote: "blockquote",
};

function parseHtml(source: string): FormattedText {
  const open: { tag: string; start: number; attributes: string }[] = [];
  const entities: MessageEntity[] = [];
  let text = "";
  let at = 0;
  while (at < source.length) {
    const char = source.charAt(at);
    if (char === "&") {
      const match = /^&(lt|gt|amp|quot|#\d+|#x[0-9a-f]+);/i.exec(source.slice(at));
      text += match ? decodeEntity(match[1] ?? "") : "&";
      at += match ? match[0].length : 1;
      continue;
    }
    if (char !== "<") {
      text += char;
      at += 1;
      continue;
    }
    const offset = byteLength(source.slice(0, at));
    const match = /^<(\/?)([a-z-]*)([^>]*)>/i.exec(source.slice(at));
    if (!match) throw cannotParse(`Unclosed start tag at byte offset ${offset}`);
    const [whole, slash, name = "", attributes = ""] = match;
    const tag = name.toLowerCase();
    at += whole.length;
    if (slash) {
      const last = open.pop();
      if (!last) throw cannotParse(`Unexpected end tag at byte offset ${offset}`);
      if (last.tag !== tag)
        throw cannotParse(
          `Unmatched end tag at byte offset ${offset}, expected "</${last.tag}>", found "</${tag}>"`,
        );
      closeHtml(last, open.at(-1)?.tag, text, entities);
      continue;
    }
    if (!Object.hasOwn(HTML_TAGS, tag))
      throw cannotParse(`Unsupported start tag "${tag}" at byte offset ${offset}`);
    if (tag === "span" && !/class="tg-spoiler"/.test(attributes)) {
      throw cannotParse(`Tag "span" must have class "tg-spoiler" at byte offset ${offset}`);
    }
    open.push({ tag, start: text.length, attributes });
  }
  const unclosed = open.at(-1);
  if (unclosed)
    throw cannotParse(`Can't find end tag corresponding to start tag "${unclosed.tag}"`);
  return { text, entities };
}

function closeHtml(
  opened: { tag: string; start: number; attributes: string },
  parent: string | undefined,
  text: string,
  entities: MessageEntity[],
): void {
  const range = { offset: opened.start, length: text.length - opened.start };
  if (range.length === 0) return;
  const language = /class="language-([^"]*)"/.exec(opened.attributes)?.[1];
  if (opened.tag === "code" && parent === "pre") {
    if (language) entities.push({ type: "pre", ...range, language });
    return;
  }
  if (
    opened.tag === "pre" &&
    entities.some(
      (one) => one.type === "pre" && one.offset === range.offset && one.length === range.length,
    )
  )
    return;
  const type = HTML_TAGS[opened.tag];
  if (type === "text_link") {
    const url = /href="([^"]*)"/.exec(opened.attributes)?.[1];
    if (url) entities.push({ type, ...range, url });
    return;
  }
  entities.push({ type, ...range } as MessageEntity); // the remaining types have no fields of their own
}

function decodeEntity(name: string): string {
  const named: Record<string, string> = { lt: "<", gt: ">", amp: "&", quot: '"' };
  if (name.startsWith("#x")) return String.fromCodePoint(Number.parseInt(name.slice(2), 16));
  if (name.startsWith("#")) return String.fromCodePoint(Number(name.slice(1)));
  return named[name.toLowerCase()] ?? "";
}

const V2_MARKS: Record<string, string> = {
  "*": "bold",
  _: "italic",
  __: "underline",
  "~": "strikethrough",
  "||": "spoiler",
};
const V2_RESERVED = new Set("_*[]()~`>#+-=|{}.!");

function parseMarkdownV2(source: string): FormattedText {
  const open: { mark: string; start: number; at: number }[] = [];
  const entities: MessageEntity[] = [];
  let text = "";
  let at = 0;
  while (at < source.length) {
    const char = source.charAt(at);
    const offset = byteLength(source.slice(0, at));
    if (char === "\\" && at + 1 < source.length) {
      text += source.charAt(at + 1);
      at += 2;
    } else if (char === "`") {
      const fence = source.startsWith("```", at) ? "```" : "`";
      const end = source.indexOf(fence, at + fence.length);
      if (end < 0)
        throw cannotParse(
          `Can't find end of ${fence === "`" ? "Code" : "PreCode"} entity at byte offset ${offset}`,
        );
      const inner = source.slice(at + fence.length, end);
      const language = fence === "```" ? /^([^\s`]+)\n/.exec(inner) : null;
      const body = (language ? inner.slice(language[0].length) : inner.replace(/^\n/, "")).replace(
        /\\(.)/g,
        "$1",
      );
      if (body)
        entities.push({
          type: fence === "`" ? "code" : "pre",
          offset: text.length,
          length: body.length,
        } as MessageEntity); // language is optional
      text += body;
      at = end + fence.length;
    } else if (char === "[") {
      open.push({ mark: "[", start: text.length, at: offset });
      at += 1;
    } else if (char === "]" && open.at(-1)?.mark === "[") {
      const link = /^\]\(([^)]*)\)/.exec(source.slice(at));
      const start = open.pop()?.start ?? 0;
      if (link?.[1])
        entities.push({
          type: "text_link",
          offset: start,
          length: text.length - start,
          url: link[1],
        });
      at += link ? link[0].length : 1;
    } else {
      const mark = ["__", "||"].find((two) => source.startsWith(two, at)) ?? char;
      const type = V2_MARKS[mark];
      if (type === undefined) {
        if (V2_RESERVED.has(char))
          throw cannotParse(
            `Character '${char}' is reserved and must be escaped with the preceding '\\'`,
          );
        text += char;
        at += 1;
        continue;
      }
      at += mark.length;
      if (open.at(-1)?.mark === mark) {
        const start = open.pop()?.start ?? 0;
        if (text.length > start)
          entities.push({ type, offset: start, length: text.length - start } as MessageEntity); // no fields of their own
      } else open.push({ mark, start: text.length, at: offset });
    }
  }
  const unclosed = open.at(-1);
  if (unclosed)
    throw cannotParse(
      `Can't find end of ${V2_MARKS[unclosed.mark] ?? "link"} entity at byte offset ${unclosed.at}`,
    );
  return { text, entities };
}

function parseLegacyMarkdown(source: string): FormattedText {
  const marks: Record<string, string> = { "*": "bold", _: "italic", "`": "code" };
  const entities: MessageEntity[] = [];
  let text = "";
  let at = 0;
  while (at < source.length) {
    const char = source.charAt(at);
    if (char === "\\" && /[_*`[]/.test(source.charAt(at + 1))) {
      text += source.charAt(at + 1);
      at += 2;
      continue;
    }
    const mark = source.startsWith("```", at) ? "```" : char;
    const type = mark === "```" ? "pre" : marks[mark];
    if (!type) {
      text += char;
      at += 1;
      continue;
    }
    const end = source.indexOf(mark, at + mark.length);
    if (end < 0)
      throw cannotParse(
        `Can't find end of the entity starting at byte offset ${byteLength(source.slice(0, at))}`,
      );
    const inner = source.slice(at + mark.length, end);
    if (inner) entities.push({ type, offset: text.length, length: inner.length } as MessageEntity); // no fields of their own
    text += inner;
    at = end + mark.length;
  }
  return { text, entities };
}

/** The entities that Telegram finds by itself in what a user types. */
export function detectEntities(text: string): MessageEntity[] {
  const entities: MessageEntity[] = [];
  for (const match of text.matchAll(/(?<![\w/])\/[a-z0-9_]{1,64}(@\w{3,32})?/gi)) {
    entities.push({ type: "bot_command", offset: match.index, length: match[0].length });
  }
  for (const match of text.matchAll(/(?<![\w@/])@\w{3,32}/g))
    entities.push({ type: "mention", offset: match.index, length: match[0].length });
  return entities.sort((a, b) => a.offset - b.offset);
}
