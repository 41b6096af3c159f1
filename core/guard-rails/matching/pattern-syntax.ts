/** A pattern as a tree. */
export type PatternNode =
  | { kind: "literal"; codePoint: number }
  /** One of a set of characters, as a class of a regular expression with the flag `v`. */
  | { kind: "set"; source: string }
  | { kind: "sequence"; items: PatternNode[] }
  | { kind: "choice"; options: PatternNode[] }
  | { kind: "repeat"; item: PatternNode; min: number; max: number | null }
  /** `\b`, or `\B` where it is inside or outside of words. */
  | { kind: "boundary"; at: boolean };

/** Why a pattern is none, and where: `at` counts characters from 1. */
export class PatternFault extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(`${message} (at character ${at})`);
    this.at = at;
  }
}

/** The largest number in `{n,m}`. */
const LARGEST_COUNT = 1_000;
/** How deep groups may be nested. */
const DEEPEST_GROUP = 50;

/** Letters, marks, digits and the underscore of all scripts; `\b` and whole words go by it as well. */
export const WORD = "\\p{L}\\p{M}\\p{N}_";
/** Digits as Latin, Arabic, Persian and East Asian texts write them. */
const DIGIT = "0-9\\u0660-\\u0669\\u06f0-\\u06f9\\uff10-\\uff19";
const SETS: Readonly<Record<string, string>> = {
  d: `[${DIGIT}]`,
  D: `[^${DIGIT}]`,
  w: `[${WORD}]`,
  W: `[^${WORD}]`,
  s: "\\s",
  S: "\\S",
};
const CONTROLS: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11 };
const NOT_TAKEN: Readonly<Record<string, string>> = {
  "^": "^ is not taken: text comes in pieces and has no beginning; use \\b, or \\^ for the character itself",
  $: "$ is not taken: text comes in pieces and has no end; use \\b, or \\$ for the character itself",
};

/**
 * Reads a pattern: the part of regular expressions that can be matched in one pass over a text that comes in pieces.
 * Literals, `.`, classes, `\d \w \s \b` and their opposites, `\p{…}`, groups, `|`, `* + ? {n,m}`.
 * @throws PatternFault for everything else
 */
export function parsePattern(source: string): PatternNode {
  return new PatternReader(source).read();
}

class PatternReader {
  private readonly source: string[];
  private at = 0;
  private depth = 0;

  constructor(source: string) {
    this.source = [...source];
  }

  read(): PatternNode {
    const node = this.choice();
    if (this.at < this.source.length) throw this.fault("this ) closes nothing");
    return node;
  }

  private choice(): PatternNode {
    const options = [this.sequence()];
    while (this.take("|")) options.push(this.sequence());
    const [only] = options;
    return options.length === 1 && only ? only : { kind: "choice", options };
  }

  private sequence(): PatternNode {
    const items: PatternNode[] = [];
    for (;;) {
      const next = this.peek();
      if (next === undefined || next === "|" || next === ")") break;
      items.push(this.repeated());
    }
    if (items.length === 0) throw this.fault("there is nothing to match here");
    const [only] = items;
    return items.length === 1 && only ? only : { kind: "sequence", items };
  }

  private repeated(): PatternNode {
    const start = this.at;
    const item = this.atom();
    const counts = this.counts();
    if (counts === null) return item;
    if (item.kind === "boundary") throw this.fault("\\b cannot be repeated", start);
    const next = this.peek();
    if (next === "?") throw this.fault("lazy repetition is not taken; the longest match counts");
    if (next === "+" || next === "*" || this.counts(true) !== null)
      throw this.fault("a repetition cannot be repeated; use a group");
    return { kind: "repeat", item, ...counts };
  }

  /** @param peeking leaves it where it is */
  private counts(peeking = false): { min: number; max: number | null } | null {
    const start = this.at;
    const counts = this.readCounts();
    if (peeking) this.at = start;
    return counts;
  }

  private readCounts(): { min: number; max: number | null } | null {
    if (this.take("*")) return { min: 0, max: null };
    if (this.take("+")) return { min: 1, max: null };
    if (this.take("?")) return { min: 0, max: 1 };
    if (this.peek() !== "{") return null;
    const end = this.source.indexOf("}", this.at);
    const text = end === -1 ? "" : this.source.slice(this.at, end + 1).join("");
    const found = /^\{(\d{1,9})(,?)(\d{0,9})\}$/.exec(text);
    if (!found)
      throw this.fault("{ begins a count such as {2}, {2,} or {2,5}; write \\{ for itself");
    const min = Number(found[1]);
    const max = found[2] === "" ? min : found[3] === "" ? null : Number(found[3]);
    if (Math.max(min, max ?? 0) > LARGEST_COUNT)
      throw this.fault(`no count may be over ${LARGEST_COUNT}`);
    if (max !== null && max < min) throw this.fault("the counts are in the wrong order");
    if (max === 0) throw this.fault("something that comes zero times says nothing");
    this.at = end + 1;
    return { min, max };
  }

  private atom(): PatternNode {
    const next = this.peek() ?? "";
    if (this.take("(")) return this.group();
    if (this.take("[")) return this.set();
    if (this.take(".")) return { kind: "set", source: "[^\\n\\r\\u2028\\u2029]" };
    if (this.take("\\")) return this.escape();
    const refused = NOT_TAKEN[next];
    if (refused !== undefined) throw this.fault(refused);
    if ("*+?{".includes(next)) throw this.fault(`there is nothing before this ${next} to repeat`);
    if (next === "]" || next === "}") throw this.fault(`write \\${next} for the character itself`);
    this.at++;
    return literal(next);
  }

  private group(): PatternNode {
    const start = this.at - 1;
    if (this.peek() === "?") {
      if (this.source[this.at + 1] !== ":")
        throw this.fault("only (…) and (?:…) are taken: no looking around, no names, no flags");
      this.at += 2;
    }
    if (++this.depth > DEEPEST_GROUP)
      throw this.fault(`groups are nested deeper than ${DEEPEST_GROUP}`);
    const node = this.choice();
    this.depth--;
    if (!this.take(")")) throw this.fault("this ( is never closed", start);
    return node;
  }

  private escape(): PatternNode {
    const start = this.at - 1;
    const next = this.peek();
    if (next === "b" || next === "B") {
      this.at++;
      return { kind: "boundary", at: next === "b" };
    }
    if (next !== undefined && /[1-9k]/.test(next))
      throw this.fault("references to groups are not taken", start);
    const found = this.escaped();
    return typeof found === "number"
      ? { kind: "literal", codePoint: found }
      : { kind: "set", source: `[${found}]` };
  }

  /** What stands behind a backslash, in and out of classes: a character, or the source of a set. */
  private escaped(): number | string {
    const start = this.at - 1;
    const name = this.source[this.at++];
    if (name === undefined) throw this.fault("the pattern ends in a \\", start);
    const set = SETS[name];
    if (set !== undefined) return set;
    if (name === "p" || name === "P") return this.property(name, start);
    const control = CONTROLS[name];
    if (control !== undefined) return control;
    if (name === "x") return this.hex(/^[0-9a-f]{2}/i, start);
    if (name === "u")
      return this.hex(this.peek() === "{" ? /^\{[0-9a-f]{1,6}\}/i : /^[0-9a-f]{4}/i, start);
    if (/[\p{L}\p{N}]/u.test(name)) throw this.fault(`\\${name} is not taken`, start);
    return codePointOf(name);
  }

  private property(name: string, start: number): string {
    const text = this.source.slice(this.at, this.at + 60).join("");
    const found = /^\{[A-Za-z_]+(?:=[A-Za-z_]+)?\}/.exec(text)?.[0];
    if (found === undefined) throw this.fault(`\\${name} needs a property such as \\p{L}`, start);
    try {
      new RegExp(`\\${name}${found}`, "u");
    } catch {
      throw this.fault(`there is no property \\${name}${found}`, start);
    }
    this.at += found.length;
    return `\\${name}${found}`;
  }

  private hex(shape: RegExp, start: number): number {
    const digits = shape.exec(this.source.slice(this.at, this.at + 8).join(""))?.[0];
    const value = digits === undefined ? NaN : Number.parseInt(digits.replace(/[{}]/g, ""), 16);
    if (digits === undefined || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
      throw this.fault("this is the number of no character", start);
    this.at += digits.length;
    return value;
  }

  private set(): PatternNode {
    const start = this.at - 1;
    const inverted = this.take("^") ? "^" : "";
    let source = "";
    while (!this.take("]")) {
      if (this.peek() === undefined) throw this.fault("this [ is never closed", start);
      source += this.setItem();
    }
    if (source === "") throw this.fault("this class has nothing in it", start);
    return { kind: "set", source: `[${inverted}${source}]` };
  }

  private setItem(): string {
    const start = this.at;
    const from = this.setCharacter();
    const isRange = this.peek() === "-" && (this.source[this.at + 1] ?? "]") !== "]";
    if (typeof from === "string" || !isRange) return typeof from === "string" ? from : shown(from);
    this.at++;
    const to = this.setCharacter();
    if (typeof to === "string") throw this.fault("a range ends with one character", start);
    if (to < from) throw this.fault("this range is in the wrong order", start);
    return `${shown(from)}-${shown(to)}`;
  }

  private setCharacter(): number | string {
    if (this.take("\\")) {
      if (this.take("b")) throw this.fault("\\b is no character of a class", this.at - 2);
      return this.escaped();
    }
    if (this.peek() === "[") throw this.fault("write \\[ for the character itself");
    return codePointOf(this.source[this.at++] ?? "");
  }

  private peek(): string | undefined {
    return this.source[this.at];
  }

  private take(character: string): boolean {
    if (this.source[this.at] !== character) return false;
    this.at++;
    return true;
  }

  private fault(message: string, at = this.at): PatternFault {
    return new PatternFault(message, at + 1);
  }
}

const codePointOf = (character: string) => character.codePointAt(0) ?? 0;
const literal = (character: string): PatternNode => ({
  kind: "literal",
  codePoint: codePointOf(character),
});
/** A character in a class, by its number, so that it means nothing but itself. */
const shown = (codePoint: number) => `\\u{${codePoint.toString(16)}}`;

/** The shortest text that a pattern matches, in characters. */
export function shortestMatch(node: PatternNode): number {
  switch (node.kind) {
    case "literal":
    case "set":
      return 1;
    case "boundary":
      return 0;
    case "sequence":
      return node.items.reduce((sum, item) => sum + shortestMatch(item), 0);
    case "choice":
      return Math.min(...node.options.map(shortestMatch));
    case "repeat":
      return node.min * shortestMatch(node.item);
  }
}
