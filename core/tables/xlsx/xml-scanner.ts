import { damaged } from "./zip-directory.ts";

/** What a scanner tells. Names come without their namespace's prefix. */
export interface XmlHandler {
  open(name: string, scanner: XmlScanner): void;
  close(name: string, scanner: XmlScanner): void;
  /**
   * Takes several tags at once that it knows how to read by itself.
   * @param from where a tag begins
   * @returns behind what it took; -1 where it is to be told tag by tag
   */
  takeWhole?(xml: string, from: number, scanner: XmlScanner): number;
}

/** A tag, comment or instruction that does not end within this many characters ends the reading. */
const LONGEST_TAG = 1_048_576;
/** Of the texts that are gathered at once. Excel writes 32,767 characters at most. */
const LONGEST_TEXT = 4_194_304;

const QUOTE = 34;
const APOSTROPHE = 39;
const SLASH = 47;
const COLON = 58;
const EQUALS = 61;
const GREATER = 62;
const QUESTION = 63;
const EXCLAMATION = 33;
const SPACE = 32;

/**
 * Goes through XML that comes in pieces, cut anywhere, and tells its tags: no tree, and no text but where it is asked
 * for. As much of XML as OOXML uses; a document type, which it does not, ends the reading, since entities come by it.
 */
export class XmlScanner {
  /** Text of the elements since the handler set it to "": with entities still in it. Read by the handler at `close`. */
  text = "";
  /** Whether text is gathered; the handler switches it. */
  gathering = false;
  readonly #handler: XmlHandler;
  #buffer = "";
  /** Begin and end of name and value of each attribute of the open tag, within the buffer. */
  readonly #attributes: number[] = [];

  constructor(handler: XmlHandler) {
    this.#handler = handler;
  }

  /** The value of an attribute of the tag that is being opened, entities not resolved; null where it is not there. */
  attribute(name: string): string | null {
    const attributes = this.#attributes;
    const buffer = this.#buffer;
    for (let index = 0; index < attributes.length; index += 4) {
      const from = attributes[index] ?? 0;
      const to = attributes[index + 1] ?? 0;
      if (to - from === name.length && buffer.startsWith(name, from)) {
        return buffer.slice(attributes[index + 2], attributes[index + 3]);
      }
    }
    return null;
  }

  /** The same by the end of the name: prefixes of namespaces are each writer's own choice. */
  attributeEndingWith(end: string): string | null {
    const attributes = this.#attributes;
    for (let index = 0; index < attributes.length; index += 4) {
      const name = this.#buffer.slice(attributes[index], attributes[index + 1]);
      if (name.endsWith(end))
        return this.#buffer.slice(attributes[index + 2], attributes[index + 3]);
    }
    return null;
  }

  push(piece: string): void {
    const buffer = (this.#buffer = this.#buffer === "" ? piece : this.#buffer + piece);
    let at = 0;
    for (;;) {
      const tag = buffer.indexOf("<", at);
      const textEnd = tag < 0 ? buffer.length : tag;
      if (this.gathering && textEnd > at) this.text += buffer.slice(at, textEnd);
      if (tag < 0) {
        this.#buffer = "";
        if (this.text.length > LONGEST_TEXT) throw damaged("a text of it is too long");
        return;
      }
      const whole = this.#handler.takeWhole?.(buffer, tag, this) ?? -1;
      const end = whole < 0 ? this.#takeTag(tag) : whole;
      if (end < 0) {
        if (buffer.length - tag > LONGEST_TAG) throw damaged("a part of it is not XML");
        this.#buffer = buffer.slice(tag);
        return;
      }
      at = end;
    }
  }

  /** Where the tag at `from` ends; -1 where its end has not come yet. */
  #takeTag(from: number): number {
    const buffer = this.#buffer;
    const first = buffer.charCodeAt(from + 1);
    if (first === SLASH) {
      const end = buffer.indexOf(">", from);
      if (end < 0) return -1;
      this.#handler.close(localName(buffer, from + 2, end), this);
      return end + 1;
    }
    if (first === QUESTION) return after(buffer, "?>", from);
    if (first === EXCLAMATION) return this.#takeDeclaration(from);
    if (Number.isNaN(first)) return -1;
    return this.#takeOpen(from);
  }

  #takeOpen(from: number): number {
    const buffer = this.#buffer;
    const attributes = this.#attributes;
    attributes.length = 0;
    let at = from + 1;
    let code = buffer.charCodeAt(at);
    while (code > SPACE && code !== GREATER && code !== SLASH) code = buffer.charCodeAt(++at);
    const nameEnd = at;
    for (;;) {
      while (code <= SPACE || code === SLASH) code = buffer.charCodeAt(++at);
      if (code === GREATER) break;
      const nameFrom = at;
      while (code > SPACE && code !== EQUALS && code !== GREATER) code = buffer.charCodeAt(++at);
      const nameTo = at;
      while (code <= SPACE || code === EQUALS) code = buffer.charCodeAt(++at);
      if (code !== QUOTE && code !== APOSTROPHE) {
        if (Number.isNaN(code)) return -1;
        throw damaged("a part of it is not XML");
      }
      const valueTo = buffer.indexOf(code === QUOTE ? '"' : "'", at + 1);
      if (valueTo < 0) return -1;
      attributes.push(nameFrom, nameTo, at + 1, valueTo);
      at = valueTo + 1;
      code = buffer.charCodeAt(at);
    }
    const name = localName(buffer, from + 1, nameEnd);
    this.#handler.open(name, this);
    if (buffer.charCodeAt(at - 1) === SLASH) this.#handler.close(name, this);
    return at + 1;
  }

  #takeDeclaration(from: number): number {
    const buffer = this.#buffer;
    if (buffer.startsWith("<!--", from)) return after(buffer, "-->", from + 4);
    if (buffer.startsWith("<![CDATA[", from)) {
      const end = after(buffer, "]]>", from + 9);
      // What stands here is text as it is: its ampersands are none of entities.
      if (end > 0 && this.gathering) {
        this.text += buffer.slice(from + 9, end - 3).replaceAll("&", "&amp;");
      }
      return end;
    }
    if (buffer.length - from < 9) return -1;
    throw damaged("a part of it has a document type, which workbooks have not");
  }
}

function after(buffer: string, mark: string, from: number): number {
  const found = buffer.indexOf(mark, from);
  return found < 0 ? -1 : found + mark.length;
}

function localName(buffer: string, from: number, to: number): string {
  let start = from;
  let end = to;
  for (let at = from; at < to; at += 1) {
    const code = buffer.charCodeAt(at);
    if (code === COLON) start = at + 1;
    else if (code <= SPACE) {
      end = at;
      break;
    }
  }
  return buffer.slice(start, end);
}

const NAMED: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const ENTITY = /&(?:#x([0-9a-f]{1,6})|#([0-9]{1,7})|([a-z]+));/gi;
/** How OOXML writes what XML may not hold, such as a carriage return: `_x000D_` (ECMA-376, 22.4.2.4). */
const ESCAPED = /_x([0-9A-Fa-f]{4})_/g;

/** A text or an attribute's value with its entities resolved. */
export function xmlText(raw: string): string {
  const plain = raw.includes("&") ? raw.replace(ENTITY, resolve) : raw;
  return plain.includes("_x")
    ? plain.replace(ESCAPED, (_whole, hex: string) => String.fromCharCode(parseInt(hex, 16)))
    : plain;
}

function resolve(whole: string, hex?: string, decimal?: string, name?: string): string {
  if (name !== undefined) return NAMED[name] ?? whole;
  const code = hex === undefined ? Number(decimal) : parseInt(hex, 16);
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : "\ufffd";
}
