// The parts of pdfkit 0.20 and fontkit 2 that reports use. Their published types ask for Node's, which must not reach
// code that runs in Workers.

declare module "fontkit" {
  export interface Glyph {
    readonly id: number;
    readonly advanceWidth: number;
    readonly codePoints: number[];
  }
  /** In units of the font. */
  export interface GlyphPosition {
    xAdvance: number;
    yAdvance: number;
    xOffset: number;
    yOffset: number;
  }
  export interface GlyphRun {
    glyphs: Glyph[];
    positions: GlyphPosition[];
    readonly advanceWidth: number;
  }
  export interface Font {
    readonly unitsPerEm: number;
    readonly ascent: number;
    readonly descent: number;
    readonly capHeight: number;
    hasGlyphForCodePoint(codePoint: number): boolean;
    layout(
      text: string,
      features?: readonly string[],
      script?: string,
      language?: string,
      direction?: "ltr" | "rtl",
    ): GlyphRun;
  }
  export function create(bytes: Uint8Array): Font;
}

declare module "pdfkit" {
  import type { Font } from "fontkit";

  export interface TextOptions {
    lineBreak: false;
    features: readonly string[];
    baseline: "alphabetic";
    /** Saves measuring again. */
    textWidth: number;
    wordCount: number;
    fill: boolean;
    stroke: boolean;
  }
  export interface DocumentOptions {
    size: "A4";
    margin: number;
    bufferPages: boolean;
    autoFirstPage: boolean;
    /** No font until one is chosen. */
    font: null;
    lang: string;
    displayTitle: boolean;
    pdfVersion: "1.7";
    info: Record<string, string | Date>;
  }
  export interface Outline {
    addItem(title: string): Outline;
  }
  export default class PDFDocument {
    constructor(options: DocumentOptions);
    readonly outline: Outline;
    registerFont(name: string, font: Font): this;
    font(name: string): this;
    fontSize(size: number): this;
    addPage(): this;
    switchToPage(number: number): unknown;
    bufferedPageRange(): { start: number; count: number };
    text(text: string, x: number, y: number, options: TextOptions): this;
    link(x: number, y: number, width: number, height: number, url: string): this;
    save(): this;
    restore(): this;
    rect(x: number, y: number, width: number, height: number): this;
    roundedRect(x: number, y: number, width: number, height: number, radius: number): this;
    circle(x: number, y: number, radius: number): this;
    moveTo(x: number, y: number): this;
    lineTo(x: number, y: number): this;
    closePath(): this;
    clip(): this;
    lineWidth(width: number): this;
    lineCap(cap: "butt" | "round"): this;
    lineJoin(join: "miter" | "round"): this;
    dash(length: number, options: { space: number }): this;
    undash(): this;
    fillColor(color: string): this;
    strokeColor(color: string): this;
    fillOpacity(opacity: number): this;
    fill(color?: string): this;
    stroke(color?: string): this;
    end(): void;
  }
}

declare module "pdfkit/output" {
  import type PDFDocument from "pdfkit";
  export function toBytes(document: PDFDocument): Promise<Uint8Array>;
}
