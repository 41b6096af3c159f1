import type { Chart } from "../report.ts";
import type { ValueFormat } from "../value-format.ts";
import { axisTicks } from "../axis.ts";
import { fitLines } from "./break-lines.ts";
import { type Canvas, COLORS, CONTENT_WIDTH, PAGE } from "./canvas.ts";
import type { PageFlow } from "./page-flow.ts";

const LINE_CHART_HEIGHT = 138;
const AXIS_WIDTH = 44;
const DAY_LABELS = 7;
const BAR = { height: 13, gap: 7, label: 128, value: 74 } as const;
/** More bars than that are a table. */
const MOST_BARS = 12;
const LABEL = { size: 7.5, color: COLORS.muted } as const;

/** A chart in vectors, whole on one page. */
export function drawChart(flow: PageFlow, chart: Chart, format: ValueFormat): void {
  const bars = Math.min(chart.categories.length, MOST_BARS);
  const rows = bars * Math.max(1, chart.series.length);
  const height =
    chart.type === "line" ? LINE_CHART_HEIGHT + 24 : rows * BAR.height + bars * BAR.gap;
  const legend = chart.series.length > 1 ? 16 : 0;
  flow.subheading(chart.title, height + legend);
  if (legend > 0) drawLegend(flow, chart);
  if (chart.type === "line") drawLines(flow.canvas, flow.y, chart, format);
  else drawBars(flow.canvas, flow.y, chart, format);
  flow.move(height + 14);
}

function drawLegend(flow: PageFlow, chart: Chart): void {
  const { canvas } = flow;
  let x = PAGE.margin;
  for (const [index, series] of chart.series.entries()) {
    canvas.fill({ x, y: flow.y - 1, width: 8, height: 8, radius: 2 }, seriesColor(index));
    x += 12;
    x += canvas.text(series.label, x, flow.y + 6, { ...LABEL, base: "auto" }) + 16;
    if (x > PAGE.margin + CONTENT_WIDTH - 60) break;
  }
  flow.move(16);
}

/** Time runs from left to right in every language. */
function drawLines(mirrored: Canvas, top: number, chart: Chart, format: ValueFormat): void {
  const canvas = mirrored.physical;
  const values = chart.series.flatMap((series) => series.values.filter((value) => value !== null));
  const ticks = axisTicks(values);
  const [lowest = 0] = ticks;
  const highest = ticks.at(-1) ?? 1;
  const left = PAGE.margin + AXIS_WIDTH;
  const width = CONTENT_WIDTH - AXIS_WIDTH - 8;
  const yOf = (value: number) =>
    top + LINE_CHART_HEIGHT * (1 - (value - lowest) / (highest - lowest));
  for (const tick of ticks) {
    const y = yOf(tick);
    canvas.rule({ x: left, y }, { x: left + width, y }, COLORS.line, tick === 0 ? 1 : 0.5);
    canvas.text(format.short(tick, chart.kind), left - 6, y + 2.6, { ...LABEL, align: "end" });
  }
  const steps = Math.max(1, chart.categories.length - 1);
  const xOf = (index: number) =>
    left + (chart.categories.length === 1 ? width / 2 : (index * width) / steps);
  drawCategoryLabels(canvas, chart, { xOf, y: top + LINE_CHART_HEIGHT + 14, format });
  for (const [index, series] of chart.series.entries())
    drawSeries(
      canvas,
      series.values.map((value, at) => (value === null ? null : { x: xOf(at), y: yOf(value) })),
      seriesColor(index),
    );
}

function drawCategoryLabels(
  canvas: Canvas,
  chart: Chart,
  { xOf, y, format }: { xOf: (index: number) => number; y: number; format: ValueFormat },
): void {
  const every = Math.max(1, Math.ceil(chart.categories.length / DAY_LABELS));
  for (let index = 0; index < chart.categories.length; index += every) {
    const category = chart.categories[index] ?? "";
    const label = chart.categoryKind === "date" ? format.dayOfYear(category) : category;
    const align = index === 0 && chart.categories.length > 1 ? "start" : "center";
    canvas.text(label, xOf(index), y, { ...LABEL, align, base: "auto" });
  }
}

interface Point {
  x: number;
  y: number;
}

/** A line that is interrupted where there is no value; a value alone is a dot. */
function drawSeries(canvas: Canvas, points: readonly (Point | null)[], color: string): void {
  const { document } = canvas;
  document.lineWidth(1.6).lineJoin("round").lineCap("round");
  let drawing: Point[] = [];
  for (const point of [...points, null]) {
    if (point !== null) {
      drawing.push(point);
      continue;
    }
    const [first, ...others] = drawing;
    drawing = [];
    if (first === undefined) continue;
    if (others.length === 0) {
      document.circle(first.x, first.y, 2).fill(color);
      continue;
    }
    document.moveTo(first.x, first.y);
    for (const { x, y } of others) document.lineTo(x, y);
    document.stroke(color);
  }
  document.lineCap("butt").lineJoin("miter");
}

/** Lying bars, that begin at the reading edge. */
function drawBars(canvas: Canvas, top: number, chart: Chart, format: ValueFormat): void {
  const room = CONTENT_WIDTH - BAR.label - BAR.value;
  const values = chart.series.flatMap((series) => series.values.filter((value) => value !== null));
  const highest = Math.max(...values.map(Math.abs), Number.MIN_VALUE);
  let y = top;
  for (const [at, category] of chart.categories.slice(0, MOST_BARS).entries()) {
    drawBarLabel(canvas, category, y + BAR.height * chart.series.length * 0.5 + 3);
    for (const [index, series] of chart.series.entries()) {
      const value = series.values[at] ?? null;
      const width = value === null ? 0 : (Math.abs(value) / highest) * room;
      const x = PAGE.margin + BAR.label;
      if (width > 0.2)
        canvas.fill(
          { x, y, width, height: BAR.height - 2, radius: Math.min(2, width / 2) },
          seriesColor(index),
        );
      canvas.text(format.value(value, chart.kind, chart.currency), x + width + 6, y + 8.5, {
        size: 8,
        color: COLORS.ink,
      });
      y += BAR.height;
    }
    y += BAR.gap;
  }
}

function drawBarLabel(canvas: Canvas, label: string, y: number): void {
  const style = { size: 8.5, color: COLORS.ink };
  const { text } = fitLines(label, { width: BAR.label - 10, lines: 1 }, { canvas, style });
  canvas.text(text, PAGE.margin, y, { ...style, base: "auto" });
}

function seriesColor(index: number): string {
  return COLORS.series[index % COLORS.series.length] ?? COLORS.accent;
}
