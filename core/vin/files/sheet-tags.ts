/** A tag of a sheet that matters here: a row's or a cell's begin, a row's end, or the size of the sheet. */
export interface SheetTag {
  name: "row" | "c" | "dimension";
  closing: boolean;
  /** Closes itself. */
  empty: boolean;
  /** With its colon; `""` for none. */
  prefix: string;
  attributes: string;
}

/** A piece of a sheet's XML: what stands before a tag, and the tag itself; null at the end. */
export interface SheetPiece {
  before: string;
  tag: SheetTag | null;
  /** The tag as it stands there. */
  text: string;
}

const TAG = /<(\/?)([A-Za-z_][\w.-]*:)?(row|c|dimension)(?=[\s>/])([^>]*)>/g;

/** Takes the XML of a sheet apart at the tags of rows and cells, and changes nothing of it. */
export async function* sheetPieces(
  xml: AsyncIterable<string>,
): AsyncGenerator<SheetPiece, void, undefined> {
  let rest = "";
  for await (const piece of xml) {
    rest += piece;
    const end = rest.lastIndexOf(">") + 1;
    if (end === 0) continue;
    const whole = rest.slice(0, end);
    let at = 0;
    for (const found of whole.matchAll(TAG)) {
      const [text, slash = "", prefix = "", name = "", attributes = ""] = found;
      const tag = {
        name: name as SheetTag["name"], // one of those that the pattern names
        closing: slash !== "",
        empty: attributes.endsWith("/"),
        prefix,
        attributes,
      };
      yield { before: whole.slice(at, found.index), tag, text };
      at = found.index + text.length;
    }
    rest = whole.slice(at) + rest.slice(end);
  }
  yield { before: rest, tag: null, text: "" };
}

/** The value of an attribute; null where there is none. */
export function attributeOf({ attributes }: SheetTag, name: string): string | null {
  return new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(attributes)?.[1] ?? null;
}

/** Counts rows and cells as the reader of sheets does: by what they say, or on from the one before. */
export class SheetPlace {
  row = 0;
  column = 0;

  enter(tag: SheetTag): void {
    if (tag.closing) return;
    const said = attributeOf(tag, "r");
    if (tag.name === "row") {
      this.row = said === null ? this.row + 1 : Number(said);
      this.column = 0;
    } else if (tag.name === "c") {
      const letters = /^[A-Z]{1,3}/.exec(said ?? "")?.[0];
      this.column = letters === undefined ? this.column + 1 : columnNumber(letters);
    }
  }
}

/** A is 1, Z is 26, AA is 27. */
export const columnNumber = (letters: string) =>
  [...letters].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0);
