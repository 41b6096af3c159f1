import type { Chart } from "../report.ts";
import { daySerial, numberFormat } from "./cells.ts";
import { quoted } from "./workbook.ts";
import { columnName, XML_HEAD, escapeXml } from "../../tables/xlsx/write-xml.ts";

/** Where a chart's values stand: the categories in the first column, each series in one of the next. */
export interface ChartCells {
  sheet: string;
  /** From 0. */
  column: number;
  /** Of the series' names, from 1; the values follow. */
  headRow: number;
}

const COLORS = ["0F7A96", "E0812B", "7356A6", "4C9A5B", "B8476B", "7C8794"] as const;

/** A chart of Excel's own, which follows its cells. */
export function chartXml(chart: Chart, cells: ChartCells): string {
  const series = chart.series.map((_, index) => seriesXml(chart, index, cells)).join("");
  const plot =
    chart.type === "line"
      ? `<c:lineChart><c:grouping val="standard"/><c:varyColors val="0"/>${series}<c:marker val="1"/><c:axId val="1"/><c:axId val="2"/></c:lineChart>`
      : `<c:barChart><c:barDir val="bar"/><c:grouping val="clustered"/><c:varyColors val="0"/>${series}<c:gapWidth val="60"/><c:axId val="1"/><c:axId val="2"/></c:barChart>`;
  const legend =
    chart.series.length > 1
      ? '<c:legend><c:legendPos val="b"/><c:overlay val="0"/></c:legend>'
      : "";
  return `${XML_HEAD}<c:chartSpace xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><c:roundedCorners val="0"/><c:chart>${title(chart.title)}<c:autoTitleDeleted val="0"/><c:plotArea><c:layout/>${plot}${categoryAxis(chart)}${valueAxis(chart)}</c:plotArea>${legend}<c:plotVisOnly val="1"/><c:dispBlanksAs val="gap"/></c:chart></c:chartSpace>`;
}

function title(text: string): string {
  return `<c:title><c:tx><c:rich><a:bodyPr/><a:p><a:pPr><a:defRPr sz="1200" b="1"/></a:pPr><a:r><a:rPr sz="1200" b="1"/><a:t>${escapeXml(text)}</a:t></a:r></a:p></c:rich></c:tx><c:overlay val="0"/></c:title>`;
}

function seriesXml(chart: Chart, index: number, cells: ChartCells): string {
  const color = COLORS[index % COLORS.length] ?? COLORS[0];
  const fill = `<a:solidFill><a:srgbClr val="${color}"/></a:solidFill>`;
  const shape =
    chart.type === "line"
      ? `<c:spPr><a:ln w="25400" cap="rnd">${fill}</a:ln></c:spPr><c:marker><c:symbol val="none"/></c:marker>`
      : `<c:spPr>${fill}</c:spPr><c:invertIfNegative val="0"/>`;
  const column = cells.column + 1 + index;
  const name = `${reference(cells, column, cells.headRow, cells.headRow)}`;
  const label = chart.series[index]?.label ?? "";
  const smooth = chart.type === "line" ? '<c:smooth val="0"/>' : "";
  return `<c:ser><c:idx val="${index}"/><c:order val="${index}"/><c:tx><c:strRef><c:f>${name}</c:f>${strings([label])}</c:strRef></c:tx>${shape}<c:cat>${categories(chart, cells)}</c:cat><c:val>${values(chart, index, cells)}</c:val>${smooth}</c:ser>`;
}

function categories(chart: Chart, cells: ChartCells): string {
  const first = cells.headRow + 1;
  const cellsOf = reference(cells, cells.column, first, first + chart.categories.length - 1);
  if (chart.categoryKind === "text")
    return `<c:strRef><c:f>${cellsOf}</c:f>${strings(chart.categories)}</c:strRef>`;
  return `<c:numRef><c:f>${cellsOf}</c:f>${numbers(chart.categories.map(daySerial), numberFormat("date", null))}</c:numRef>`;
}

function values(chart: Chart, index: number, cells: ChartCells): string {
  const first = cells.headRow + 1;
  const column = cells.column + 1 + index;
  const cellsOf = reference(cells, column, first, first + chart.categories.length - 1);
  const format = numberFormat(chart.kind, chart.currency);
  return `<c:numRef><c:f>${cellsOf}</c:f>${numbers(chart.series[index]?.values ?? [], format)}</c:numRef>`;
}

/** What programs show before they have read the cells. */
function numbers(list: readonly (number | null)[], format: string): string {
  const points = list.map((value, index) =>
    value === null ? "" : `<c:pt idx="${index}"><c:v>${value}</c:v></c:pt>`,
  );
  return `<c:numCache><c:formatCode>${escapeXml(format)}</c:formatCode><c:ptCount val="${list.length}"/>${points.join("")}</c:numCache>`;
}

function strings(list: readonly string[]): string {
  const points = list.map(
    (text, index) => `<c:pt idx="${index}"><c:v>${escapeXml(text)}</c:v></c:pt>`,
  );
  return `<c:strCache><c:ptCount val="${list.length}"/>${points.join("")}</c:strCache>`;
}

function reference(cells: ChartCells, column: number, from: number, to: number): string {
  const name = columnName(column);
  const end = to > from ? `:$${name}$${to}` : "";
  return escapeXml(`${quoted(cells.sheet)}!$${name}$${from}${end}`);
}

function categoryAxis(chart: Chart): string {
  const bars = chart.type === "bar";
  const scaling = `<c:scaling><c:orientation val="${bars ? "maxMin" : "minMax"}"/></c:scaling>`;
  const rest = `<c:delete val="0"/><c:axPos val="${bars ? "l" : "b"}"/>`;
  const ticks =
    '<c:majorTickMark val="none"/><c:minorTickMark val="none"/><c:tickLblPos val="low"/><c:crossAx val="2"/><c:crosses val="autoZero"/>';
  if (chart.categoryKind === "date")
    return `<c:dateAx><c:axId val="1"/>${scaling}${rest}<c:numFmt formatCode="d mmm" sourceLinked="0"/>${ticks}<c:auto val="1"/><c:lblOffset val="100"/><c:baseTimeUnit val="days"/></c:dateAx>`;
  return `<c:catAx><c:axId val="1"/>${scaling}${rest}<c:numFmt formatCode="General" sourceLinked="0"/>${ticks}<c:auto val="1"/><c:lblAlgn val="ctr"/><c:lblOffset val="100"/><c:noMultiLvlLbl val="0"/></c:catAx>`;
}

function valueAxis(chart: Chart): string {
  const bars = chart.type === "bar";
  const format = escapeXml(
    numberFormat(chart.kind, null).replace(".00", chart.kind === "multiple" ? ".0" : ""),
  );
  // Excel begins where the values do, if they are alike: a bar would then say much more than its number.
  const isPositive = chart.series.every(({ values }) => values.every((value) => (value ?? 0) >= 0));
  const from = isPositive ? '<c:min val="0"/>' : "";
  return `<c:valAx><c:axId val="2"/><c:scaling><c:orientation val="minMax"/>${from}</c:scaling><c:delete val="0"/><c:axPos val="${bars ? "b" : "l"}"/><c:majorGridlines><c:spPr><a:ln w="6350"><a:solidFill><a:srgbClr val="DBE2E8"/></a:solidFill></a:ln></c:spPr></c:majorGridlines><c:numFmt formatCode="${format}" sourceLinked="0"/><c:majorTickMark val="none"/><c:minorTickMark val="none"/><c:tickLblPos val="nextTo"/><c:crossAx val="1"/><c:crosses val="${bars ? "max" : "autoZero"}"/><c:crossBetween val="between"/></c:valAx>`;
}
