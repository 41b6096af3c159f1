import { type MetricName, relativeChange, unitsOf } from "../../campaigns/metrics/metric-values.ts";
import { unitsToNumber } from "../../campaigns/metrics/exact.ts";
import type { Group } from "../../campaigns/metrics/read-groups.ts";
import { platformName } from "../../campaigns/words/names.ts";
import type { KeyFigure, KeyFigures, ReportLanguage } from "../report.ts";
import { ValueFormat } from "../value-format.ts";
import { contentWords } from "../words/content-words.ts";
import { isChange, kindOf, metricNumber } from "./metric-kinds.ts";
import type { ReportData } from "./report-data.ts";

const SHOWN = [
  "spend",
  "revenue",
  "roas",
  "conversions",
  "cpa",
  "cvr",
  "clicks",
  "ctr",
  "cpc",
] as const satisfies MetricName[];
/** What the summary tells of, as far as there is something to tell. */
const TOLD = ["spend", "revenue", "roas", "conversions", "cpa"] as const satisfies MetricName[];
/** More is better, or less; spend is neither. */
const BETTER: Partial<Record<MetricName, "more" | "less">> = {
  impressions: "more",
  clicks: "more",
  conversions: "more",
  revenue: "more",
  ctr: "more",
  cvr: "more",
  roas: "more",
  cpc: "less",
  cpm: "less",
  cpa: "less",
};

/** What a metric is compared with. */
type BenchmarkOf = (metric: MetricName, currency: string) => KeyFigure["benchmark"];

/** The figures that the report begins with, for each currency. */
export function buildKeyFigures(
  data: ReportData,
  language: ReportLanguage,
  benchmark: BenchmarkOf,
): KeyFigures[] {
  return data.totals.map((total) => ({
    currency: total.currency,
    figures: SHOWN.map((metric) => keyFigure(metric, total, language, benchmark)).filter(
      ({ value, previous }) => value !== null || previous !== null,
    ),
  }));
}

function keyFigure(
  metric: MetricName,
  { currency, current, previous }: Group,
  language: ReportLanguage,
  benchmark: BenchmarkOf,
): KeyFigure {
  const change =
    previous === null ? null : relativeChange(unitsOf(metric, previous), unitsOf(metric, current));
  const better = BETTER[metric];
  return {
    metric,
    label: contentWords(language).metrics[metric],
    kind: kindOf(metric),
    value: metricNumber(metric, current),
    previous: previous === null ? null : metricNumber(metric, previous),
    change,
    welcome:
      change === null || !isChange(change) || better === undefined
        ? null
        : change > 0 === (better === "more"),
    benchmark: benchmark(metric, currency),
  };
}

/** The report in a few sentences. */
export function buildSummary(data: ReportData, language: ReportLanguage): string[] {
  const words = contentWords(language);
  if (data.totals.length === 0) return [words.none];
  const format = new ValueFormat(language);
  return data.totals.flatMap((total) => {
    const told = TOLD.flatMap((metric) => {
      const sentence = metricSentence(metric, total, language, format);
      return sentence === null ? [] : [sentence];
    });
    const best = bestPlatform(data, total, language, format);
    const sentences = best === null ? told : [...told, best];
    return data.totals.length === 1 || sentences.length === 0
      ? sentences
      : [`${words.inCurrency(total.currency)} ${sentences.join(" ")}`];
  });
}

function metricSentence(
  metric: MetricName,
  { current, previous, currency }: Group,
  language: ReportLanguage,
  format: ValueFormat,
): string | null {
  const value = metricNumber(metric, current);
  if (value === null) return null;
  const words = contentWords(language);
  const name = words.metrics[metric];
  const shown = format.value(value, kindOf(metric), currency);
  const change =
    previous === null ? null : relativeChange(unitsOf(metric, previous), unitsOf(metric, current));
  if (change === null) return words.was(name, shown);
  const share = format.value(Math.abs(change), "ratio", null);
  if (!isChange(change)) return words.wasSame(name, shown);
  return change > 0 ? words.wasMore(name, shown, share) : words.wasLess(name, shown, share);
}

/** Who brought most of the revenue, or else of the conversions or clicks. */
function bestPlatform(
  data: ReportData,
  total: Group,
  language: ReportLanguage,
  format: ValueFormat,
): string | null {
  const platforms = data.byPlatform.filter(({ currency }) => currency === total.currency);
  const metric = (["revenue", "conversions", "clicks"] as const).find(
    (name) => (total.current[name] ?? 0n) > 0n,
  );
  if (platforms.length < 2 || metric === undefined) return null;
  const sum = unitsToNumber(total.current[metric] ?? 0n);
  const [best] = platforms.toSorted((one, other) =>
    Number((other.current[metric] ?? 0n) - (one.current[metric] ?? 0n)),
  );
  if (best === undefined) return null;
  const words = contentWords(language);
  const share = format.value(unitsToNumber(best.current[metric] ?? 0n) / sum, "ratio", null);
  const name = platformName(best.values[0] ?? "", language);
  return words.broughtMost(name, words.metrics[metric], share);
}
