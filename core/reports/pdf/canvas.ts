import type PDFDocument from "pdfkit";
import type { Direction } from "../report.ts";
import type { DocumentFonts, FontWeight } from "./document-fonts.ts";
import { drawn, type OrderedText, orderText, visualRuns } from "./visual-runs.ts";

/** A4, in points. */
export const PAGE = { width: 595.28, height: 841.89, margin: 46, bottom: 60 } as const;
export const CONTENT_WIDTH = PAGE.width - 2 * PAGE.margin;

export const COLORS = {
  ink: "#1b2733",
  muted: "#5f6f7e",
  line: "#dbe2e8",
  panel: "#f3f6f8",
  accent: "#0f5c73",
  accentSoft: "#d8e8ed",
  white: "#ffffff",
  good: "#1d7a4c",
  bad: "#b23a2c",
  series: ["#0f7a96", "#e0812b", "#7356a6", "#4c9a5b", "#b8476b", "#7c8794"],
} as const;

export interface TextStyle {
  size: number;
  weight?: FontWeight;
  color?: string;
}

export interface TextPlace extends TextStyle {
  /** Which edge of the text is at x. */
  align?: "start" | "center" | "end";
  /** The paragraph's direction; that of the report where it is not said. */
  base?: Direction | "auto";
}

/** Of the letters' size: what makes letters of a font without bold ones look bold. */
const OUTLINE = 0.035;
const NO_FEATURES: readonly string[] = [];

/**
 * What is drawn on, by its reading direction: x counts from the page's start edge, which is the right one for reports
 * from right to left. y counts down from the top. Where something has the same direction in every language, such as
 * the time axis of a chart, `physical` gives a canvas that counts from the left.
 */
export class Canvas {
  readonly document: PDFDocument;
  readonly direction: Direction;
  readonly #fonts: DocumentFonts;
  readonly #mirrored: boolean;

  constructor(
    document: PDFDocument,
    fonts: DocumentFonts,
    direction: Direction,
    mirrored = direction === "rtl",
  ) {
    this.document = document;
    this.direction = direction;
    this.#fonts = fonts;
    this.#mirrored = mirrored;
  }

  /** The same page, with x from the left. */
  get physical(): Canvas {
    return new Canvas(this.document, this.#fonts, this.direction, false);
  }

  get mirrored(): boolean {
    return this.#mirrored;
  }

  /** In points. The order of the runs does not change what they take, so it is not asked for. */
  width(text: string, style: TextStyle): number {
    let width = 0;
    for (const piece of this.#fonts.pieces(drawn(text), style.weight ?? "regular"))
      width += piece.width;
    return (width * style.size) / 1000;
  }

  /** One line, with its baseline at y. @returns its width */
  text(text: string, x: number, y: number, place: TextPlace): number {
    return this.line(orderText(text, place.base ?? this.direction), { x, y }, place);
  }

  /** A line of a paragraph: the characters from `start` up to `end`. @returns its width */
  line(
    ordered: OrderedText,
    at: { x: number; y: number; start?: number; end?: number },
    place: TextPlace,
  ): number {
    const { pieces, width } = this.#pieces(ordered, place, at.start, at.end);
    const before = place.align === "end" ? width : place.align === "center" ? width / 2 : 0;
    let x = this.#left(at.x - before, width);
    this.document.fontSize(place.size).fillColor(place.color ?? COLORS.ink);
    for (const piece of pieces) {
      const textWidth = (piece.width * place.size) / 1000;
      if (piece.outlined)
        this.document.lineWidth(place.size * OUTLINE).strokeColor(place.color ?? COLORS.ink);
      this.document.font(piece.font).text(piece.text, x, at.y, {
        lineBreak: false,
        features: NO_FEATURES,
        baseline: "alphabetic",
        textWidth,
        wordCount: 1,
        fill: true,
        stroke: piece.outlined,
      });
      x += textWidth;
    }
    return width;
  }

  /** A filled rectangle, with corners rounded where a radius is given. */
  fill(
    box: { x: number; y: number; width: number; height: number; radius?: number },
    color: string,
  ): void {
    const left = this.#left(box.x, box.width);
    if (box.radius === undefined) this.document.rect(left, box.y, box.width, box.height);
    else this.document.roundedRect(left, box.y, box.width, box.height, box.radius);
    this.document.fill(color);
  }

  /** A straight line. */
  rule(
    from: { x: number; y: number },
    to: { x: number; y: number },
    color: string,
    width = 0.6,
  ): void {
    this.document
      .lineWidth(width)
      .moveTo(this.#left(from.x, 0), from.y)
      .lineTo(this.#left(to.x, 0), to.y)
      .stroke(color);
  }

  /** Opens an address. */
  link(box: { x: number; y: number; width: number; height: number }, url: string): void {
    this.document.link(this.#left(box.x, box.width), box.y, box.width, box.height, url);
  }

  #left(x: number, width: number): number {
    return this.#mirrored ? PAGE.width - x - width : x;
  }

  #pieces(ordered: OrderedText, style: TextStyle, start = 0, end = ordered.text.length) {
    // The space at which a line was broken would push it from its edge.
    const last = start + ordered.text.slice(start, end).trimEnd().length;
    const pieces = visualRuns(ordered, start, last).flatMap((run) =>
      this.#fonts.pieces(run, style.weight ?? "regular"),
    );
    let width = 0;
    for (const piece of pieces) width += piece.width;
    return { pieces, width: (width * style.size) / 1000 };
  }
}
