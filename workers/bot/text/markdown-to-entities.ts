import { lexer, type MarkedToken, type Token, type Tokens } from "marked";
import type { MessageEntity } from "grammy/types";
import type { FormattedText } from "./formatted-text.ts";

type SimpleType = "bold" | "italic" | "strikethrough" | "blockquote" | "code";

/**
 * Turns a model's Markdown into text with Telegram's entities. Entities, unlike HTML or MarkdownV2, cannot be
 * malformed by what the text contains. What Telegram has no formatting for becomes text: headings are bold,
 * tables are set in a fixed width.
 */
export function markdownToEntities(markdown: string): FormattedText {
  const builder = new Builder();
  builder.blocks(lexer(markdown, { gfm: true }), 0);
  return builder.finish();
}

class Builder {
  private text = "";
  private readonly entities: MessageEntity[] = [];
  private quoted = false;

  /** The lexer's own tokens are MarkedToken; Token also allows for extensions, which we have none of. */
  blocks(tokens: Token[], depth: number): void {
    let previous: Token | undefined;
    for (const token of tokens) {
      if (token.type === "space" || token.type === "def") continue;
      if (previous) this.text += previous.type === "text" || token.type === "text" ? "\n" : "\n\n";
      this.block(token as MarkedToken, depth);
      previous = token;
    }
  }

  finish(): FormattedText {
    const text = this.text.trimEnd();
    const lead = text.length - text.trimStart().length;
    const inPre = this.entities.some((one) => one.type === "pre" && one.offset === 0);
    const cut = inPre ? 0 : lead;
    const entities = separateCode(this.entities)
      .map((one) => ({
        ...one,
        offset: one.offset - cut,
        length: Math.min(one.length, text.length - one.offset),
      }))
      .filter((one) => one.length > 0 && one.offset >= 0)
      .sort((a, b) => a.offset - b.offset || b.length - a.length);
    return { text: text.slice(cut), entities };
  }

  private block(token: MarkedToken, depth: number): void {
    switch (token.type) {
      case "heading":
        return this.wrap("bold", () => this.inline(token.tokens));
      case "paragraph":
        return this.inline(token.tokens);
      case "text":
        return token.tokens ? this.inline(token.tokens) : this.write(decode(token.text));
      case "code":
        return this.pre(token.text, /^\S+/.exec(token.lang ?? "")?.[0]);
      case "blockquote":
        return this.quote(token.tokens, depth);
      case "list":
        return this.list(token, depth);
      case "table":
        return this.pre(tableText(token), undefined);
      case "hr":
        return this.write("———");
      default:
        return this.write(token.raw.trimEnd());
    }
  }

  private inline(tokens: Token[]): void {
    for (const token of tokens as MarkedToken[]) this.inlineToken(token); // see blocks()
  }

  private inlineToken(token: MarkedToken): void {
    switch (token.type) {
      case "strong":
        return this.wrap("bold", () => this.inline(token.tokens));
      case "em":
        return this.wrap("italic", () => this.inline(token.tokens));
      case "del":
        return this.wrap("strikethrough", () => this.inline(token.tokens));
      case "codespan":
        return this.wrap("code", () => this.write(token.text));
      case "link":
        return this.link(token.href, () => this.inline(token.tokens));
      case "image":
        return this.link(token.href, () => this.write(decode(token.text) || token.href));
      case "br":
        return this.write("\n");
      case "escape":
        return this.write(decode(token.text));
      case "text":
        return token.tokens ? this.inline(token.tokens) : this.write(decode(token.text));
      case "html":
        return this.write(/^<br\s*\/?>$/i.test(token.raw.trim()) ? "\n" : token.raw);
      default:
        return this.write(token.raw);
    }
  }

  private write(text: string): void {
    this.text += text;
  }

  private wrap(type: SimpleType, inside: () => void): void {
    const offset = this.text.length;
    inside();
    const length = this.text.length - offset;
    if (length > 0) this.entities.push({ type, offset, length });
  }

  private pre(code: string, language: string | undefined): void {
    const offset = this.text.length;
    this.write(code === "" ? " " : code);
    const range = { offset, length: this.text.length - offset };
    this.entities.push(
      language === undefined ? { type: "pre", ...range } : { type: "pre", ...range, language },
    );
  }

  private link(href: string, inside: () => void): void {
    const offset = this.text.length;
    inside();
    const length = this.text.length - offset;
    const shown = this.text.slice(offset);
    if (length === 0 || shown === href) return;
    if (/^(https?|tg|mailto|tel):/i.test(href))
      this.entities.push({ type: "text_link", offset, length, url: href });
    else this.write(` (${href})`);
  }

  /** Telegram cannot nest quotes, so one within another is part of the outer one. */
  private quote(tokens: Token[], depth: number): void {
    if (this.quoted) return this.blocks(tokens, depth);
    this.quoted = true;
    this.wrap("blockquote", () => this.blocks(tokens, depth));
    this.quoted = false;
  }

  private list(list: Tokens.List, depth: number): void {
    const start = typeof list.start === "number" ? list.start : 1;
    list.items.forEach((item, index) => {
      if (index > 0) this.text += list.loose ? "\n\n" : "\n";
      const mark = item.task
        ? item.checked
          ? "☑"
          : "☐"
        : list.ordered
          ? `${start + index}.`
          : "•";
      this.write(`${"   ".repeat(depth)}${mark} `);
      this.item(item, depth);
    });
  }

  private item(item: Tokens.ListItem, depth: number): void {
    let first = true;
    for (const token of item.tokens as MarkedToken[]) {
      // see blocks()
      if (token.type === "space" || token.type === "checkbox") continue;
      if (!first) this.text += "\n";
      this.block(token, depth + 1);
      first = false;
    }
  }
}

const NAMED: Record<string, string> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: "\u00a0",
};

/** The lexer leaves character references to whoever renders. */
function decode(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(amp|lt|gt|quot|apos|nbsp));/gi,
    (whole, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) return NAMED[name.toLowerCase()] ?? whole;
      const point = decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number(decimal);
      return point > 0 && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff)
        ? String.fromCodePoint(point)
        : whole;
    },
  );
}

function tableText(table: Tokens.Table): string {
  const rows = [table.header, ...table.rows].map((row) =>
    row.map((cell) => plainInline(cell.tokens)),
  );
  const widths = table.header.map((_, column) =>
    Math.max(...rows.map((row) => [...(row[column] ?? "")].length)),
  );
  const lines = rows.map((row) =>
    row
      .map(
        (cell, column) => cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - [...cell].length)),
      )
      .join(" │ ")
      .trimEnd(),
  );
  lines.splice(1, 0, widths.map((width) => "─".repeat(width)).join("─┼─"));
  return lines.join("\n");
}

function plainInline(tokens: Token[]): string {
  const builder = new Builder();
  builder.blocks([{ type: "paragraph", raw: "", text: "", tokens }], 0);
  return builder.finish().text.replaceAll("\n", " ");
}

/** Code may neither contain nor be part of other formatting, but for quotes: bold and the like end before it and go on after it. */
function separateCode(entities: MessageEntity[]): MessageEntity[] {
  const end = (one: MessageEntity) => one.offset + one.length;
  const inLink = (code: MessageEntity) =>
    entities.some(
      (one) => one.type === "text_link" && one.offset < end(code) && end(one) > code.offset,
    );
  const codes = entities.filter(
    (one) => (one.type === "code" && !inLink(one)) || one.type === "pre",
  );
  const kept = entities.filter((one) => one.type === "blockquote" || one.type === "text_link");
  const styles = entities.filter(
    (one) => one.type === "bold" || one.type === "italic" || one.type === "strikethrough",
  );
  const cut = styles.flatMap((style) => {
    let pieces: MessageEntity[] = [style];
    for (const code of codes) {
      pieces = pieces.flatMap((piece) => {
        if (code.offset >= end(piece) || end(code) <= piece.offset) return [piece];
        const before = { ...piece, length: code.offset - piece.offset };
        const after = { ...piece, offset: end(code), length: end(piece) - end(code) };
        return [before, after].filter((one) => one.length > 0);
      });
    }
    return pieces;
  });
  return [...codes, ...kept, ...cut];
}
