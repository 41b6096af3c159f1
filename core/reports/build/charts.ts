import { daysOf } from "../../campaigns/metrics/days.ts";
import type { MetricName } from "../../campaigns/metrics/metric-values.ts";
import type { Group } from "../../campaigns/metrics/read-groups.ts";
import { platformName } from "../../campaigns/words/names.ts";
import type { Chart, ReportLanguage } from "../report.ts";
import { contentWords } from "../words/content-words.ts";
import { kindOf, metricNumber } from "./metric-kinds.ts";
import type { ReportData } from "./report-data.ts";

/** Currencies that have charts: those with the most rows by day. The tables have all. */
const MOST_CURRENCIES = 3;
/** Bars of a chart; the table has all. */
const MOST_BARS = 10;

/** Spend and revenue by day, and what platforms spent and brought; for each currency, since they share no axis. */
export function buildCharts(data: ReportData, language: ReportLanguage): Chart[] {
  const days = (currency: string) =>
    data.byDay.filter((group) => group.currency === currency).length;
  const currencies = data.totals
    .map(({ currency }) => currency)
    .toSorted((one, other) => days(other) - days(one))
    .slice(0, MOST_CURRENCIES);
  return currencies.flatMap((currency) => chartsOf(data, { currency, language }));
}

interface Wanted {
  currency: string;
  language: ReportLanguage;
}

function chartsOf(data: ReportData, wanted: Wanted): Chart[] {
  const words = contentWords(wanted.language);
  const ofCurrency = ({ currency }: Group) => currency === wanted.currency;
  const [total] = data.totals.filter(ofCurrency);
  if (total === undefined) return [];
  const has = (metric: MetricName) => metricNumber(metric, total.current) !== null;
  const platforms = data.byPlatform.filter(ofCurrency);
  const byDay = (["spend", "revenue"] as const).filter(has);
  const title = byDay.length === 2 ? words.spendAndRevenue : words.spendByDay;
  const [ratio] = (["roas", "cpa", "ctr"] as const).filter(has);
  const byPlatform: MetricName[] = [
    ...(has("spend") && platforms.length > 1 ? (["spend"] as const) : []),
    ...(ratio !== undefined && platforms.length > 1 ? [ratio] : []),
  ];
  return [
    ...(byDay.length > 0 && data.period.from !== data.period.to
      ? [daysChart(data, byDay, { ...wanted, title })]
      : []),
    ...byPlatform.map((metric) => platformsChart(platforms, metric, wanted)),
  ];
}

/** Days without facts are gaps, not zeros. */
function daysChart(
  data: ReportData,
  metrics: readonly MetricName[],
  { currency, language, title }: Wanted & { title: string },
): Chart {
  const categories = daysOf(data.period);
  const groups = new Map(
    data.byDay
      .filter((group) => group.currency === currency)
      .map((group) => [group.values[0], group]),
  );
  return {
    title: withCurrency(title, currency),
    type: "line",
    categories,
    categoryKind: "date",
    kind: "money",
    currency,
    series: metrics.map((metric) => ({
      label: contentWords(language).metrics[metric],
      values: categories.map((day) => {
        const group = groups.get(day);
        return group === undefined ? null : metricNumber(metric, group.current);
      }),
    })),
  };
}

function platformsChart(
  platforms: readonly Group[],
  metric: MetricName,
  { currency, language }: Wanted,
): Chart {
  const words = contentWords(language);
  const value = (group: Group) => metricNumber(metric, group.current);
  const shown = platforms
    .toSorted((one, other) => (value(other) ?? -1) - (value(one) ?? -1))
    .slice(0, MOST_BARS);
  const label = words.metrics[metric];
  const kind = kindOf(metric);
  return {
    title: withCurrency(words.byPlatform(label), kind === "money" ? currency : null),
    type: "bar",
    categories: shown.map((group) => platformName(group.values[0] ?? "", language)),
    categoryKind: "text",
    kind,
    currency: kind === "money" ? currency : null,
    series: [{ label, values: shown.map(value) }],
  };
}

function withCurrency(title: string, currency: string | null): string {
  return currency === null || currency === "XXX" ? title : `${title} (${currency})`;
}
