import { columnName, XML_HEAD } from "../../tables/xlsx/write-xml.ts";

/** A sheet to be written. */
export interface Sheet {
  name: string;
  /** `<row>` elements in order; asked for once, while the sheet is written. */
  rows: Iterable<string>;
  /** In characters. */
  widths: number[];
  /** Rows that stay in sight. */
  frozenRows: number;
  /** The row and the number of columns of a head that rows can be filtered by. */
  filter: { row: number; columns: number; rows: number } | null;
  /** Cells that a long text spreads over, such as `A1:F1`. */
  merged: string[];
  charts: PlacedChart[];
}

/** A chart on a sheet, with the cells that it shows. */
export interface PlacedChart {
  /** `xl/charts/chart1.xml` */
  xml: string;
  /** Rows and columns from 0. */
  from: { row: number; column: number };
  to: { row: number; column: number };
}

/** Rows are given on in pieces of about so many characters. */
const PIECE = 64 * 1024;
const MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/** `xl/worksheets/sheet1.xml`, piece by piece. */
export function* sheetXml(sheet: Sheet, rightToLeft: boolean, isFirst: boolean): Generator<string> {
  yield `${XML_HEAD}<worksheet xmlns="${MAIN}" xmlns:r="${RELATIONSHIPS}"><sheetPr><pageSetUpPr fitToPage="1"/></sheetPr>${views(sheet, rightToLeft, isFirst)}<sheetFormatPr defaultRowHeight="15"/>${columns(sheet.widths)}<sheetData>`;
  let piece = "";
  for (const row of sheet.rows) {
    piece += row;
    if (piece.length < PIECE) continue;
    yield piece;
    piece = "";
  }
  yield `${piece}</sheetData>${filter(sheet)}${merges(sheet.merged)}<pageMargins left="0.5" right="0.5" top="0.6" bottom="0.6" header="0.3" footer="0.3"/><pageSetup paperSize="9" orientation="landscape" fitToWidth="1" fitToHeight="0"/>${sheet.charts.length > 0 ? '<drawing r:id="rId1"/>' : ""}</worksheet>`;
}

function views({ frozenRows }: Sheet, rightToLeft: boolean, isFirst: boolean): string {
  const pane =
    frozenRows === 0
      ? ""
      : `<pane ySplit="${frozenRows}" topLeftCell="A${frozenRows + 1}" activePane="bottomLeft" state="frozen"/><selection pane="bottomLeft"/>`;
  return `<sheetViews><sheetView showGridLines="0"${rightToLeft ? ' rightToLeft="1"' : ""}${isFirst ? ' tabSelected="1"' : ""} workbookViewId="0">${pane}</sheetView></sheetViews>`;
}

function columns(widths: readonly number[]): string {
  if (widths.length === 0) return "";
  const list = widths.map(
    (width, index) =>
      `<col min="${index + 1}" max="${index + 1}" width="${width}" customWidth="1"/>`,
  );
  return `<cols>${list.join("")}</cols>`;
}

function filter({ filter }: Sheet): string {
  if (filter === null || filter.columns === 0) return "";
  const last = `${columnName(filter.columns - 1)}${filter.row + filter.rows}`;
  return `<autoFilter ref="A${filter.row}:${last}"/>`;
}

function merges(merged: readonly string[]): string {
  if (merged.length === 0) return "";
  return `<mergeCells count="${merged.length}">${merged.map((cells) => `<mergeCell ref="${cells}"/>`).join("")}</mergeCells>`;
}
