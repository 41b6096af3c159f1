import { axisTicks } from "../axis.ts";
import type { Chart } from "../report.ts";
import type { ValueFormat } from "../value-format.ts";
import { html, type Markup } from "./escape.ts";

const COLORS = ["#0f7a96", "#e0812b", "#7356a6", "#4c9a5b", "#b8476b", "#7c8794"] as const;
const WIDTH = 720;
const LINE = { height: 240, left: 64, right: 16, top: 12, bottom: 28 } as const;
const BAR = { height: 22, gap: 10, label: 190, value: 110 } as const;
const DAY_LABELS = 8;
const MOST_BARS = 20;

/** A chart as SVG. Time runs from left to right in every language; bars begin at the reading edge. */
export function drawSvg(chart: Chart, format: ValueFormat, direction: "ltr" | "rtl"): Markup {
  return chart.type === "line" ? drawLines(chart, format) : drawBars(chart, format, direction);
}

export function legend(chart: Chart): Markup {
  if (chart.series.length < 2) return html``;
  const entries = chart.series.map(
    ({ label }, index) =>
      html`<span><i style="background:${colorOf(index)}"></i><bdi>${label}</bdi></span>`,
  );
  return html`<p class="legend">${entries}</p>`;
}

function drawLines(chart: Chart, format: ValueFormat): Markup {
  const values = chart.series.flatMap((series) => series.values.filter((value) => value !== null));
  const ticks = axisTicks(values);
  const [lowest = 0] = ticks;
  const highest = ticks.at(-1) ?? 1;
  const width = WIDTH - LINE.left - LINE.right;
  const height = LINE.height - LINE.top - LINE.bottom;
  const steps = Math.max(1, chart.categories.length - 1);
  const xOf = (index: number) => round(LINE.left + (index * width) / steps);
  const yOf = (value: number) =>
    round(LINE.top + height * (1 - (value - lowest) / (highest - lowest)));
  const grid = ticks.map(
    (tick) =>
      html`<path class="grid" d="M${LINE.left} ${yOf(tick)}H${WIDTH - LINE.right}" /><text
          x="${LINE.left - 8}"
          y="${yOf(tick) + 4}"
          text-anchor="end"
          >${format.short(tick, chart.kind)}</text
        >`,
  );
  const every = Math.max(1, Math.ceil(chart.categories.length / DAY_LABELS));
  const labels = chart.categories
    .map((category, index) => ({ category, index }))
    .filter(({ index }) => index % every === 0)
    .map(({ category, index }) => {
      const label = chart.categoryKind === "date" ? format.dayOfYear(category) : category;
      return html`<text x="${xOf(index)}" y="${LINE.height - 6}" text-anchor="middle"
        >${label}</text
      >`;
    });
  const lines = chart.series.map(
    (series, index) =>
      html`<path class="line" stroke="${colorOf(index)}" d="${pathOf(series.values, xOf, yOf)}" />`,
  );
  return svg(chart.title, LINE.height, [...grid, ...labels, ...lines]);
}

/** A value alone is a line without length, which its round ends make a dot. */
function pathOf(
  values: readonly (number | null)[],
  xOf: (index: number) => number,
  yOf: (value: number) => number,
): string {
  let path = "";
  let drawing = false;
  for (const [index, value] of values.entries()) {
    if (value !== null) path += `${drawing ? "L" : "M"}${xOf(index)} ${yOf(value)}`;
    if (value !== null && !drawing) path += "h0";
    drawing = value !== null;
  }
  return path;
}

function drawBars(chart: Chart, format: ValueFormat, direction: "ltr" | "rtl"): Markup {
  const values = chart.series.flatMap((series) => series.values.filter((value) => value !== null));
  const highest = Math.max(...values.map(Math.abs), Number.MIN_VALUE);
  const room = WIDTH - BAR.label - BAR.value;
  const bars: Markup[] = [];
  let y = 4;
  for (const [at, category] of chart.categories.slice(0, MOST_BARS).entries()) {
    bars.push(textAt(0, y + 15, shortened(category), direction));
    for (const [index, series] of chart.series.entries()) {
      const value = series.values[at] ?? null;
      const width = value === null ? 0 : round((Math.abs(value) / highest) * room);
      const x = direction === "rtl" ? WIDTH - BAR.label - width : BAR.label;
      bars.push(
        html`<rect
          x="${x}"
          y="${y}"
          width="${width}"
          height="${BAR.height - 3}"
          rx="3"
          fill="${colorOf(index)}"
        />`,
        textAt(
          BAR.label + width + 8,
          y + 15,
          format.value(value, chart.kind, chart.currency),
          direction,
        ),
      );
      y += BAR.height;
    }
    y += BAR.gap;
  }
  return svg(chart.title, y, bars);
}

function textAt(x: number, y: number, text: string, direction: "ltr" | "rtl"): Markup {
  // `start` is the right end where the text's direction is from right to left.
  return direction === "rtl"
    ? html`<text x="${WIDTH - x}" y="${y}" direction="rtl">${text}</text>`
    : html`<text x="${x}" y="${y}">${text}</text>`;
}

function svg(title: string, height: number, content: readonly Markup[]): Markup {
  return html`<svg
    viewBox="0 0 ${WIDTH} ${height}"
    role="img"
    aria-label="${title}"
    direction="ltr"
  >
    ${content}
  </svg>`;
}

function shortened(text: string): string {
  const characters = [...text];
  return characters.length <= 26 ? text : `${characters.slice(0, 25).join("")}…`;
}

function colorOf(index: number): string {
  return COLORS[index % COLORS.length] ?? COLORS[0];
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
