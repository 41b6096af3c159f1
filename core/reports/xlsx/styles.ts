import { XML_HEAD, escapeXml } from "../../tables/xlsx/write-xml.ts";

/** How a cell looks, besides its number format. */
export type Look =
  | "plain"
  | "title"
  | "heading"
  | "head"
  | "headNumber"
  | "total"
  | "muted"
  | "wrapped"
  | "label"
  | "fact";

/** Fonts, fills and borders, by their place in the lists below. Texts are of the report's own words, not of its data. */
const LOOKS: Record<
  Look,
  { font: number; fill: number; border: number; alignment?: string; isText?: true }
> = {
  plain: { font: 0, fill: 0, border: 0 },
  title: { font: 2, fill: 0, border: 0, isText: true },
  heading: { font: 3, fill: 0, border: 0, isText: true },
  head: { font: 1, fill: 2, border: 1, alignment: 'vertical="center" wrapText="1"', isText: true },
  headNumber: {
    font: 1,
    fill: 2,
    border: 1,
    alignment: 'horizontal="right" vertical="center" wrapText="1"',
    isText: true,
  },
  total: { font: 4, fill: 3, border: 0 },
  muted: { font: 5, fill: 0, border: 0, alignment: 'vertical="top" wrapText="1"', isText: true },
  wrapped: { font: 0, fill: 0, border: 0, alignment: 'vertical="top" wrapText="1"', isText: true },
  label: { font: 5, fill: 0, border: 0, isText: true },
  fact: { font: 0, fill: 0, border: 0, isText: true },
};
/** A Persian sentence that begins with a number would else be read from its left. */
const FROM_RIGHT = 'readingOrder="2"';
/** Numbers below are Excel's own formats. */
const FIRST_OWN_FORMAT = 164;

/** Gathers the styles that cells ask for; every sheet is written before them. */
export class Styles {
  readonly #formats = new Map<string, number>();
  readonly #styles = new Map<string, number>();
  readonly #cells: string[] = [];

  readonly #rightToLeft: boolean;

  /** @param rightToLeft whether the report's own words are */
  constructor(rightToLeft: boolean) {
    this.#rightToLeft = rightToLeft;
    this.style("plain", ""); // cells without a style have the first
  }

  /** The number of a style. @param format a number format such as `0.00%`, or `""` */
  style(look: Look, format: string): number {
    const key = `${look}\n${format}`;
    const known = this.#styles.get(key);
    if (known !== undefined) return known;
    const { font, fill, border, alignment = "", isText = false } = LOOKS[look];
    const aligned = `${alignment} ${isText && this.#rightToLeft ? FROM_RIGHT : ""}`.trim();
    const inner = aligned === "" ? "/>" : ` applyAlignment="1"><alignment ${aligned}/></xf>`;
    const number = this.#cells.push(
      `<xf numFmtId="${this.#format(format)}" fontId="${font}" fillId="${fill}" borderId="${border}" xfId="0" applyNumberFormat="1" applyFont="1" applyFill="1" applyBorder="1"${inner}`,
    );
    this.#styles.set(key, number - 1);
    return number - 1;
  }

  /** `xl/styles.xml` */
  xml(): string {
    const formats = [...this.#formats].map(
      ([code, id]) => `<numFmt numFmtId="${id}" formatCode="${escapeXml(code)}"/>`,
    );
    return `${XML_HEAD}<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">${counted("numFmts", formats)}${counted("fonts", FONTS)}${counted("fills", FILLS)}${counted("borders", BORDERS)}<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>${counted("cellXfs", this.#cells)}<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`;
  }

  #format(code: string): number {
    if (code === "") return 0;
    let id = this.#formats.get(code);
    if (id === undefined) {
      id = FIRST_OWN_FORMAT + this.#formats.size;
      this.#formats.set(code, id);
    }
    return id;
  }
}

const font = (size: number, color: string, bold: boolean) =>
  `<font>${bold ? "<b/>" : ""}<sz val="${size}"/><color rgb="FF${color}"/><name val="Calibri"/><family val="2"/></font>`;
const fill = (color: string) =>
  `<fill><patternFill patternType="solid"><fgColor rgb="FF${color}"/><bgColor indexed="64"/></patternFill></fill>`;

const FONTS = [
  font(11, "1B2733", false),
  font(11, "0F5C73", true),
  font(18, "0F5C73", true),
  font(13, "0F5C73", true),
  font(11, "1B2733", true),
  font(10, "5F6F7E", false),
];
/** The first two are Excel's own and must be these. */
const FILLS = [
  '<fill><patternFill patternType="none"/></fill>',
  '<fill><patternFill patternType="gray125"/></fill>',
  fill("D8E8ED"),
  fill("F3F6F8"),
];
const BORDERS = [
  "<border><left/><right/><top/><bottom/><diagonal/></border>",
  '<border><left/><right/><top/><bottom style="thin"><color rgb="FF0F5C73"/></bottom><diagonal/></border>',
];

function counted(element: string, items: readonly string[]): string {
  if (items.length === 0) return "";
  return `<${element} count="${items.length}">${items.join("")}</${element}>`;
}
