import type { RailMatch, Rails } from "./guard-rails.ts";
import { WorkBudget } from "./matching/work-budget.ts";
import type { Piece } from "./matching/text-scanner.ts";
import { type Filter, TextFilter } from "./text-filter.ts";

/** What stands between values. */
const STRUCTURE = new Set(["{", "}", "[", "]", ":", ","]);
const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};
/** The longest number that is held until its end, in characters; no JSON that means anything has a longer one. */
const LONGEST_BARE = 2_000;

/**
 * JSON that comes in pieces, such as the arguments of a tool. Each of its strings is a text of its own, read as it is
 * meant and not as it is escaped; what passes comes out as it was written. A number that has to be masked becomes a
 * string, so that what was JSON stays JSON. What does not begin as JSON is plain text.
 */
export class JsonFilter implements Filter {
  denied: RailMatch | null = null;
  masked = false;
  private readonly rails: Rails;
  private readonly budget: WorkBudget;
  private mode: "begin" | "plain" | "bare" | "string" = "begin";
  private text: TextFilter;
  private bare = "";
  /** A part of an escape, of which the rest is still to come. */
  private escape = "";
  /** How each unit of the string that is not yet decided was written. */
  private raws: string[] = [];

  /** @param budget of the request or answer that the text is part of */
  constructor(rails: Rails, budget: WorkBudget = new WorkBudget()) {
    this.rails = rails;
    this.budget = budget;
    this.text = new TextFilter(rails, budget);
  }

  push(text: string): string {
    let out = "";
    let meant = "";
    for (let index = 0; index < text.length && this.denied === null; index++) {
      const character = text.charAt(index);
      if (this.mode === "begin") this.begin(character);
      if (this.mode === "plain") return out + this.plain(text.slice(index));
      if (this.mode !== "string") {
        out += this.structure(character);
        continue;
      }
      if (character === '"' && this.escape === "") {
        out += this.string(this.text.pieces(meant)) + this.string(this.text.lastPieces());
        meant = "";
        if (this.denied === null) out += character;
        this.mode = "bare";
        continue;
      }
      meant += this.unescape(character);
    }
    return this.denied === null ? out + this.string(this.text.pieces(meant)) : out;
  }

  end(): string {
    if (this.denied) return "";
    if (this.mode === "plain") return this.plain(null);
    if (this.mode !== "string") return this.endBare();
    const rest = this.escape;
    this.escape = "";
    return this.string(this.text.lastPieces()) + (this.denied ? "" : rest);
  }

  private begin(character: string): void {
    if (/\s/.test(character)) return;
    this.mode = character === "{" || character === "[" || character === '"' ? "bare" : "plain";
  }

  private plain(text: string | null): string {
    const out = text === null ? this.text.end() : this.text.push(text);
    this.note(this.text);
    return out;
  }

  private note({ denied, masked }: TextFilter): void {
    this.denied = denied;
    if (masked) this.masked = true;
  }

  /** A character outside of strings. */
  private structure(character: string): string {
    if (character === '"') {
      const out = this.endBare();
      if (this.denied) return out;
      this.mode = "string";
      this.text = new TextFilter(this.rails, this.budget);
      this.raws = [];
      return out + character;
    }
    if (STRUCTURE.has(character)) {
      const out = this.endBare();
      return this.denied ? out : out + character;
    }
    if (this.bare === "" && /\s/.test(character)) return character;
    this.bare += character;
    return this.bare.length > LONGEST_BARE ? this.endBare() : "";
  }

  /** A number, or a word such as `true`, has ended. */
  private endBare(): string {
    const { bare } = this;
    if (bare === "") return "";
    this.bare = "";
    const value = bare.trimEnd();
    const filter = new TextFilter(this.rails, this.budget);
    const pieces = [...filter.pieces(value), ...filter.lastPieces()];
    this.note(filter);
    if (this.denied) return "";
    const hit = pieces.find((piece) => piece.hit !== null)?.hit;
    return hit ? JSON.stringify(hit.replacement) + bare.slice(value.length) : bare;
  }

  /** Takes a character of a string, and gives what it means once that is known. */
  private unescape(character: string): string {
    if (this.escape === "" && character !== "\\") {
      this.raws.push(character);
      return character;
    }
    this.escape += character;
    const { escape } = this;
    if (escape.length === 1) return "";
    const unicode = escape[1] === "u";
    const isOver = unicode ? escape.length === 6 || !/^[0-9a-f]$/i.test(character) : true;
    if (unicode && (escape.length === 2 || !isOver)) return "";
    this.escape = "";
    const code = /^\\u([0-9a-f]{4})$/i.exec(escape)?.[1];
    const meant =
      code === undefined
        ? (SHORT_ESCAPES[escape[1] ?? ""] ?? escape) // no JSON, and so it means what it says
        : String.fromCharCode(Number.parseInt(code, 16));
    for (let unit = 0; unit < meant.length; unit++)
      this.raws.push(meant.length === 1 ? escape : (escape[unit] ?? ""));
    return meant;
  }

  private string(pieces: readonly Piece<RailMatch>[]): string {
    let out = "";
    for (const { text, hit, begins } of pieces) {
      const raws = this.raws.splice(0, text.length);
      if (hit === null) out += raws.join("");
      else if (begins) out += JSON.stringify(hit.replacement).slice(1, -1);
    }
    this.note(this.text);
    return out;
  }
}
