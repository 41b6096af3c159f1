import type PDFDocument from "pdfkit";
import { breakLines } from "./break-lines.ts";
import { type Canvas, COLORS, CONTENT_WIDTH, PAGE, type TextStyle } from "./canvas.ts";
import { orderText } from "./visual-runs.ts";

const HEADING = { size: 15, weight: "bold" } as const;
const SUBHEADING = { size: 10.5, weight: "bold" } as const;
const BODY = { size: 9.5 } as const;
const LINE_HEIGHT = 1.55;
const TOP = 62;
/** A heading stays on the page of what follows it. */
const KEEP_WITH_HEADING = 90;

/** Fills page after page from the top down. */
export class PageFlow {
  readonly canvas: Canvas;
  readonly #document: PDFDocument;
  #y = 0;
  #pages = 0;

  constructor(document: PDFDocument, canvas: Canvas) {
    this.#document = document;
    this.canvas = canvas;
  }

  get y(): number {
    return this.#y;
  }

  /** How much there is until the page ends. */
  get left(): number {
    return PAGE.height - PAGE.bottom - this.#y;
  }

  newPage(): void {
    this.#document.addPage();
    this.#pages += 1;
    this.#y = TOP;
  }

  move(by: number): void {
    this.#y += by;
  }

  /** Begins a page where this much is not left on the present one. @returns whether it did */
  ensure(height: number): boolean {
    if (this.#pages > 0 && this.left >= height) return false;
    // What is taller than a page begins where it is, or it would leave an empty page before it.
    if (this.#pages > 0 && this.#y <= TOP) return false;
    this.newPage();
    return true;
  }

  /** A part of the report, which readers find in the outline. `room` is what must follow on its page. */
  heading(text: string, room = KEEP_WITH_HEADING): void {
    if (this.#y > TOP) this.move(14);
    this.ensure(34 + room);
    this.#document.outline.addItem(text);
    const baseline = this.#y + HEADING.size;
    this.canvas.text(text, PAGE.margin, baseline, { ...HEADING, color: COLORS.accent });
    this.canvas.rule(
      { x: PAGE.margin, y: baseline + 9 },
      { x: PAGE.margin + CONTENT_WIDTH, y: baseline + 9 },
      COLORS.accentSoft,
      1.2,
    );
    this.move(HEADING.size + 22);
  }

  subheading(text: string, room = KEEP_WITH_HEADING): void {
    this.ensure(22 + room);
    this.canvas.text(text, PAGE.margin, this.#y + SUBHEADING.size, SUBHEADING);
    this.move(SUBHEADING.size + 9);
  }

  /** Sentences, each a paragraph; with a dot before each where they are a list. */
  sentences(
    sentences: readonly string[],
    style: { bullets?: boolean; muted?: boolean } = {},
  ): void {
    const indent = style.bullets === true ? 12 : 0;
    const text: TextStyle = { ...BODY, color: style.muted === true ? COLORS.muted : COLORS.ink };
    for (const sentence of sentences) this.#paragraph(sentence, text, indent);
    this.move(4);
  }

  #paragraph(sentence: string, style: TextStyle, indent: number): void {
    const { canvas } = this;
    const ordered = orderText(sentence, canvas.direction);
    const lines = breakLines(ordered.text, CONTENT_WIDTH - indent, { canvas, style });
    const height = style.size * LINE_HEIGHT;
    for (const [index, line] of lines.entries()) {
      // Neither the first line alone at a page's end, nor the last alone at its beginning.
      this.ensure(
        index === 0 || index === lines.length - 2 ? height * Math.min(2, lines.length) : height,
      );
      const y = this.#y + style.size;
      if (index === 0 && indent > 0)
        canvas.fill(
          { x: PAGE.margin + 1, y: y - style.size * 0.48, width: 3.4, height: 3.4, radius: 1.7 },
          COLORS.accent,
        );
      canvas.line(ordered, { x: PAGE.margin + indent, y, ...line }, style);
      this.move(height);
    }
    this.move(3);
  }
}
