import type {
  Chart,
  KeyFigures,
  Report,
  Table,
  TableCurrency,
  Value,
  ValueKind,
} from "./report.ts";

/**
 * A report as JSON: `snake_case`, amounts of money as decimal strings, as everywhere in the API. Tables have their
 * columns once and rows as lists, so that long ones stay small.
 */
export function writeJson(report: Report): string {
  const { cover, benchmarks, tables } = report;
  return JSON.stringify({
    version: report.version,
    language: report.language,
    direction: report.direction,
    cover: {
      title: cover.title,
      team: cover.team,
      period: cover.period,
      previous: cover.previous,
      scope: cover.scope,
      generated_at: cover.generatedAt,
      time_zone: cover.timeZone,
    },
    summary: report.summary,
    key_figures: report.keyFigures.map(keyFiguresJson),
    charts: report.charts.map(chartJson),
    tables: {
      by_day: tableJson(tables.byDay),
      by_platform: tableJson(tables.byPlatform),
      by_campaign: tableJson(tables.byCampaign),
    },
    movements: report.movements.map(({ title, sentences, table }) => ({
      title,
      sentences,
      table: tableJson(table),
    })),
    benchmarks: {
      table: tableJson(benchmarks.table),
      sources: benchmarks.sources,
      sentences: benchmarks.sentences,
    },
    appendix: report.appendix,
  });
}

function keyFiguresJson({ currency, figures }: KeyFigures) {
  return {
    currency,
    figures: figures.map(({ value, previous, benchmark, ...figure }) => ({
      ...figure,
      value: valueJson(value, figure.kind),
      previous: valueJson(previous, figure.kind),
      benchmark: benchmark && { ...benchmark, value: valueJson(benchmark.value, figure.kind) },
    })),
  };
}

function chartJson({ categoryKind, series, ...chart }: Chart) {
  return {
    ...chart,
    category_kind: categoryKind,
    series: series.map(({ label, values }) => ({
      label,
      values: values.map((value) => valueJson(value, chart.kind)),
    })),
  };
}

function tableJson({ columns, rows, totals, currency, title, note }: Table) {
  const rowJson = (row: readonly Value[]) =>
    columns.map(({ kind }, index) => valueJson(row[index] ?? null, kind));
  return {
    title,
    columns,
    currency: currencyJson(currency, columns),
    rows: rows.map(rowJson),
    totals: totals.map(rowJson),
    note,
  };
}

function currencyJson(currency: TableCurrency | null, columns: Table["columns"]) {
  if (currency === null || "code" in currency) return currency;
  return { column: columns[currency.column]?.key ?? null };
}

/** Millionths are what amounts are kept in, so six digits say all. */
function valueJson(value: Value, kind: ValueKind): Value {
  if (kind !== "money" || typeof value !== "number") return value;
  return value.toFixed(6).replace(/\.?0+$/, "");
}
