import { type PlacedChart, type Sheet, sheetXml } from "./sheet.ts";
import type { Styles } from "./styles.ts";
import { XML_HEAD, xmlText } from "./xml.ts";
import { ZipStream } from "./zip-stream.ts";

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
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const zip = new ZipStream((bytes) => writer.write(bytes));
  // Whoever reads the stream sees the failure; there is nobody else to tell.
  void writeParts(zip, workbook).then(
    () => writer.close().catch(() => undefined),
    (error: unknown) => writer.abort(error).catch(() => undefined),
  );
  return readable;
}

async function writeParts(zip: ZipStream, workbook: Workbook): Promise<void> {
  const { sheets, styles } = workbook;
  await zip.add("[Content_Types].xml", contentTypes(sheets));
  await zip.add(
    "_rels/.rels",
    relationships([
      { type: `${OFFICE}/officeDocument`, target: "xl/workbook.xml" },
      { type: `${PACKAGE}/relationships/metadata/core-properties`, target: "docProps/core.xml" },
    ]),
  );
  await zip.add("docProps/core.xml", properties(workbook));
  await zip.add("xl/workbook.xml", workbookXml(sheets));
  await zip.add("xl/_rels/workbook.xml.rels", workbookRelationships(sheets));
  let charts = 0;
  for (const [index, sheet] of sheets.entries()) {
    const number = index + 1;
    await zip.add(
      `xl/worksheets/sheet${number}.xml`,
      sheetXml(sheet, workbook.rightToLeft, index === 0),
    );
    if (sheet.charts.length === 0) continue;
    await writeDrawing(zip, number, sheet.charts, charts);
    charts += sheet.charts.length;
  }
  // Last, since the cells say which styles there are.
  await zip.add("xl/styles.xml", styles.xml());
  await zip.end();
}

async function writeDrawing(
  zip: ZipStream,
  number: number,
  charts: readonly PlacedChart[],
  before: number,
): Promise<void> {
  const drawing = { type: `${OFFICE}/drawing`, target: `../drawings/drawing${number}.xml` };
  await zip.add(`xl/worksheets/_rels/sheet${number}.xml.rels`, relationships([drawing]));
  await zip.add(`xl/drawings/drawing${number}.xml`, drawingXml(charts));
  await zip.add(
    `xl/drawings/_rels/drawing${number}.xml.rels`,
    relationships(
      charts.map((_, index) => ({
        type: `${OFFICE}/chart`,
        target: `../charts/chart${before + index + 1}.xml`,
      })),
    ),
  );
  for (const [index, chart] of charts.entries())
    await zip.add(`xl/charts/chart${before + index + 1}.xml`, chart.xml);
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
      `<sheet name="${xmlText(name)}" sheetId="${index + 1}" r:id="rId${index + 1}"/>`,
  );
  const filters = sheets.flatMap(({ name, filter }, index) =>
    filter === null
      ? []
      : [
          `<definedName name="_xlnm.Print_Titles" localSheetId="${index}">${xmlText(quoted(name))}!$${filter.row}:$${filter.row}</definedName>`,
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
  return `${XML_HEAD}<cp:coreProperties xmlns:cp="${PACKAGE}/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><dc:title>${xmlText(title)}</dc:title><dc:creator>${xmlText(author)}</dc:creator><dcterms:created xsi:type="dcterms:W3CDTF">${xmlText(createdAt)}</dcterms:created></cp:coreProperties>`;
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
