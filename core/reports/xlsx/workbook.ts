import { byteStream } from "../../files/byte-stream.ts";
import { type PlacedChart, type Sheet, sheetXml } from "./sheet.ts";
import type { Styles } from "./styles.ts";
import { XML_HEAD, escapeXml } from "../../tables/xlsx/write-xml.ts";
import { type ZipPart, zipPieces } from "../../tables/xlsx/zip-pieces.ts";

/** A workbook to be written. */
export interface Workbook {
  title: string;
  author: string;
  createdAt: string;
  rightToLeft: boolean;
  sheets: Sheet[];
  styles: Styles;
}

const OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE = "http://schemas.openxmlformats.org/package/2006";
const SHEETS = "application/vnd.openxmlformats-officedocument.spreadsheetml";
const DRAWINGS = "application/vnd.openxmlformats-officedocument";

/**
 * A workbook as a stream: rows become text, and text becomes compressed bytes, only as they are read, so a sheet of any
 * length takes the same memory.
 */
export function streamWorkbook(workbook: Workbook): ReadableStream<Uint8Array> {
  return byteStream(zipPieces(partsOf(workbook)));
}

function* partsOf(workbook: Workbook): Generator<ZipPart> {
  const { sheets, styles } = workbook;
  yield { name: "[Content_Types].xml", text: contentTypes(sheets) };
  yield {
    name: "_rels/.rels",
    text: relationships([
      { type: `${OFFICE}/officeDocument`, target: "xl/workbook.xml" },
      { type: `${PACKAGE}/relationships/metadata/core-properties`, target: "docProps/core.xml" },
    ]),
  };
  yield { name: "docProps/core.xml", text: properties(workbook) };
  yield { name: "xl/workbook.xml", text: workbookXml(sheets) };
  yield { name: "xl/_rels/workbook.xml.rels", text: workbookRelationships(sheets) };
  let charts = 0;
  for (const [index, sheet] of sheets.entries()) {
    const number = index + 1;
    yield {
      name: `xl/worksheets/sheet${number}.xml`,
      text: sheetXml(sheet, workbook.rightToLeft, index === 0),
    };
    if (sheet.charts.length === 0) continue;
    yield* drawingParts(number, sheet.charts, charts);
    charts += sheet.charts.length;
  }
  // Last, since the cells say which styles there are.
  yield { name: "xl/styles.xml", text: styles.xml() };
}

function* drawingParts(
  number: number,
  charts: readonly PlacedChart[],
  before: number,
): Generator<ZipPart> {
  const drawing = { type: `${OFFICE}/drawing`, target: `../drawings/drawing${number}.xml` };
  yield { name: `xl/worksheets/_rels/sheet${number}.xml.rels`, text: relationships([drawing]) };
  yield { name: `xl/drawings/drawing${number}.xml`, text: drawingXml(charts) };
  yield {
    name: `xl/drawings/_rels/drawing${number}.xml.rels`,
    text: relationships(
      charts.map((_, index) => ({
        type: `${OFFICE}/chart`,
        target: `../charts/chart${before + index + 1}.xml`,
      })),
    ),
  };
  for (const [index, chart] of charts.entries())
    yield { name: `xl/charts/chart${before + index + 1}.xml`, text: chart.xml };
}

function contentTypes(sheets: readonly Sheet[]): string {
  const override = (part: string, type: string) =>
    `<Override PartName="${part}" ContentType="${type}+xml"/>`;
  const parts = [
    override("/xl/workbook.xml", `${SHEETS}.sheet.main`),
    override("/xl/styles.xml", `${SHEETS}.styles`),
    override("/docProps/core.xml", "application/vnd.openxmlformats-package.core-properties"),
  ];
  let charts = 0;
  for (const [index, sheet] of sheets.entries()) {
    parts.push(override(`/xl/worksheets/sheet${index + 1}.xml`, `${SHEETS}.worksheet`));
    if (sheet.charts.length === 0) continue;
    parts.push(override(`/xl/drawings/drawing${index + 1}.xml`, `${DRAWINGS}.drawing`));
    for (let chart = 0; chart < sheet.charts.length; chart += 1) {
      charts += 1;
      parts.push(override(`/xl/charts/chart${charts}.xml`, `${DRAWINGS}.drawingml.chart`));
    }
  }
  return `${XML_HEAD}<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>${parts.join("")}</Types>`;
}

function relationships(list: readonly { type: string; target: string }[]): string {
  const entries = list.map(
    ({ type, target }, index) =>
      `<Relationship Id="rId${index + 1}" Type="${type}" Target="${target}"/>`,
  );
  return `${XML_HEAD}<Relationships xmlns="${PACKAGE}/relationships">${entries.join("")}</Relationships>`;
}

function workbookRelationships(sheets: readonly Sheet[]): string {
  return relationships([
    ...sheets.map((_, index) => ({
      type: `${OFFICE}/worksheet`,
      target: `worksheets/sheet${index + 1}.xml`,
    })),
    { type: `${OFFICE}/styles`, target: "styles.xml" },
  ]);
}

function workbookXml(sheets: readonly Sheet[]): string {
  const list = sheets.map(
    ({ name }, index) =>
      `<sheet name="${escapeXml(name)}" sheetId="${index + 1}" r:id="rId${index + 1}"/>`,
  );
  const filters = sheets.flatMap(({ name, filter }, index) =>
    filter === null
      ? []
      : [
          `<definedName name="_xlnm.Print_Titles" localSheetId="${index}">${escapeXml(quoted(name))}!$${filter.row}:$${filter.row}</definedName>`,
        ],
  );
  const names = filters.length === 0 ? "" : `<definedNames>${filters.join("")}</definedNames>`;
  return `${XML_HEAD}<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="${OFFICE}"><bookViews><workbookView activeTab="0"/></bookViews><sheets>${list.join("")}</sheets>${names}</workbook>`;
}

/** A sheet's name as references have it. */
export function quoted(name: string): string {
  return `'${name.replaceAll("'", "''")}'`;
}

function properties({ title, author, createdAt }: Workbook): string {
  return `${XML_HEAD}<cp:coreProperties xmlns:cp="${PACKAGE}/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><dc:title>${escapeXml(title)}</dc:title><dc:creator>${escapeXml(author)}</dc:creator><dcterms:created xsi:type="dcterms:W3CDTF">${escapeXml(createdAt)}</dcterms:created></cp:coreProperties>`;
}

function drawingXml(charts: readonly PlacedChart[]): string {
  const corner = (name: string, { row, column }: PlacedChart["from"]) =>
    `<xdr:${name}><xdr:col>${column}</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>${row}</xdr:row><xdr:rowOff>0</xdr:rowOff></xdr:${name}>`;
  const anchors = charts.map(
    ({ from, to }, index) =>
      `<xdr:twoCellAnchor>${corner("from", from)}${corner("to", to)}<xdr:graphicFrame macro=""><xdr:nvGraphicFramePr><xdr:cNvPr id="${index + 2}" name="Chart ${index + 1}"/><xdr:cNvGraphicFramePr/></xdr:nvGraphicFramePr><xdr:xfrm><a:off x="0" y="0"/><a:ext cx="0" cy="0"/></xdr:xfrm><a:graphic><a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/chart"><c:chart xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" r:id="rId${index + 1}"/></a:graphicData></a:graphic></xdr:graphicFrame><xdr:clientData/></xdr:twoCellAnchor>`,
  );
  return `${XML_HEAD}<xdr:wsDr xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:r="${OFFICE}">${anchors.join("")}</xdr:wsDr>`;
}
