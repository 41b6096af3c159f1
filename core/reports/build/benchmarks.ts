import { type Benchmark, OWN_HISTORY } from "../../campaigns/benchmarks/benchmark.ts";
import type { MetricName } from "../../campaigns/metrics/metric-values.ts";
import { RATIO_NAMES, type RatioName } from "../../campaigns/metrics/ratios.ts";
import { platformName } from "../../campaigns/words/names.ts";
import type { KeyFigure, Report, ReportLanguage, Source, Table, Value } from "../report.ts";
import { ValueFormat } from "../value-format.ts";
import { contentWords } from "../words/content-words.ts";
import { reportWords } from "../words/report-words.ts";
import { kindOf, metricNumber } from "./metric-kinds.ts";
import type { ReportData } from "./report-data.ts";

/**
 * What a figure of all the report's campaigns is compared with: what the team's campaigns usually reach; for a report of
 * one platform, where that is not known, the newest published figure of it.
 */
export function benchmarkOf(
  benchmarks: readonly Benchmark[],
  data: ReportData,
  language: ReportLanguage,
): (metric: MetricName, currency: string) => KeyFigure["benchmark"] {
  const platforms = new Set(data.byPlatform.map(({ values }) => values[0] ?? ""));
  const [only] = platforms.size === 1 ? platforms : [];
  return (metric, currency) => {
    const fits = (benchmark: Benchmark) =>
      benchmark.metric === metric &&
      (benchmark.currency === null || benchmark.currency === currency) &&
      valueOf(benchmark) !== null;
    const found =
      benchmarks.find(
        (candidate) =>
          candidate.id === OWN_HISTORY && candidate.platform === (only ?? null) && fits(candidate),
      ) ?? benchmarks.find((candidate) => candidate.platform === only && fits(candidate));
    const value = found === undefined ? null : valueOf(found);
    return found === undefined || value === null
      ? null
      : { value, source: sourceName(found, language) };
  };
}

/** The report's platforms beside what others report of them, and where that comes from. */
export function buildBenchmarks(
  all: readonly Benchmark[],
  data: ReportData,
  language: ReportLanguage,
): Report["benchmarks"] {
  const words = contentWords(language);
  const platforms = [...new Set(data.byPlatform.map(({ values }) => values[0] ?? ""))];
  const used = all.filter(
    (benchmark) =>
      benchmark.platform !== null &&
      platforms.includes(benchmark.platform) &&
      valueOf(benchmark) !== null,
  );
  if (used.length === 0)
    return { table: emptyTable(language), sources: [], sentences: [words.noBenchmarks] };
  const rows = platforms.flatMap((platform) => {
    const others = used.filter((benchmark) => benchmark.platform === platform);
    return others.length === 0
      ? []
      : [...ownRows(data, platform, language), ...benchmarkRows(others, language)];
  });
  return {
    table: { ...emptyTable(language), rows },
    sources: sourcesOf(used, language),
    sentences: [words.benchmarkNote],
  };
}

const NAMES = 3;

/** Platform, who says it, currency, and a column for each ratio. */
function emptyTable(language: ReportLanguage): Table {
  const words = contentWords(language);
  return {
    title: reportWords(language).benchmarks,
    columns: [
      { key: "platform", label: words.platform, kind: "text" },
      { key: "source", label: reportWords(language).source, kind: "text" },
      { key: "currency", label: words.currency, kind: "text" },
      ...RATIO_NAMES.map((metric) => ({
        key: metric,
        label: words.metrics[metric],
        kind: kindOf(metric),
      })),
    ],
    rows: [],
    currency: { column: NAMES - 1 },
    totals: [],
    note: null,
  };
}

function ownRows(data: ReportData, platform: string, language: ReportLanguage): Value[][] {
  return data.byPlatform
    .filter(({ values }) => values[0] === platform)
    .map(({ currency, current }) => [
      platformName(platform, language),
      contentWords(language).thisReport,
      currency,
      ...RATIO_NAMES.map((metric) => metricNumber(metric, current)),
    ]);
}

/** A row for each source, kind of advertising and currency. */
function benchmarkRows(benchmarks: readonly Benchmark[], language: ReportLanguage): Value[][] {
  const rows = new Map<string, { names: Value[]; values: Map<RatioName, number | null> }>();
  const currencies = new Map(benchmarks.map(({ id, currency }) => [id, currency] as const));
  for (const benchmark of benchmarks) {
    const { id, channel, metric } = benchmark;
    // A source's ratios stand in the row of its amounts; those of the team's own have a currency each.
    const currency =
      benchmark.currency ?? (id === OWN_HISTORY ? null : (currencies.get(id) ?? null));
    const key = JSON.stringify([id, channel, currency]);
    const row = rows.get(key) ?? {
      names: [
        platformName(benchmark.platform ?? "", language),
        sourceName(benchmark, language),
        currency,
      ],
      values: new Map(),
    };
    row.values.set(metric, valueOf(benchmark));
    rows.set(key, row);
  }
  return [...rows.values()].map(({ names, values }) => [
    ...names,
    ...RATIO_NAMES.map((metric) => values.get(metric) ?? null),
  ]);
}

/** The average, or the median where only that is known; a mere range is nothing to compare with. */
function valueOf({ value, median }: Benchmark): number | null {
  return value ?? median;
}

function sourceName({ id, source }: Benchmark, language: ReportLanguage): string {
  return id === OWN_HISTORY ? contentWords(language).ownHistory : source;
}

function sourcesOf(benchmarks: readonly Benchmark[], language: ReportLanguage): Source[] {
  const sources = new Map<string, Source>();
  const format = new ValueFormat(language);
  for (const benchmark of benchmarks) {
    const { id, period, published, url } = benchmark;
    if (sources.has(id)) continue;
    const days =
      period === null
        ? String(published ?? "")
        : reportWords(language).span(format.day(period.from), format.day(period.to));
    sources.set(id, { name: sourceName(benchmark, language), period: days, url });
  }
  return [...sources.values()];
}
