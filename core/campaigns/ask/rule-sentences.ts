import type { AnomaliesAnswer } from "../anomaly-answer.ts";
import type { ChangeAnswer } from "../change-answer.ts";
import type { GroupAnswer, MetricsAnswer } from "../metrics-answer.ts";
import { decimalToUnits } from "../metrics/exact.ts";
import type { MetricName, MetricValues } from "../metrics/metric-values.ts";
import { dayText, type Language, metricText, percentText, quoted } from "../words/figures.ts";
import { metricName, platformName } from "../words/names.ts";

/** How many anomalies and benchmarks are told of. */
const MOST_TOLD = 5;
const TOLD: readonly MetricName[] = [
  "spend",
  "clicks",
  "ctr",
  "cpc",
  "conversions",
  "cpa",
  "revenue",
  "roas",
];
/** Metrics that are compared with benchmarks: those of which figures are published. */
const COMPARED: readonly MetricName[] = ["ctr", "cpc", "cvr", "cpa"];

/** The whole, once for each currency, with the change since the period before. */
export function overviewLines(answer: MetricsAnswer, language: Language): string[] {
  const words = WORDS[language];
  if (answer.totals.length === 0) return [words.nothing(periodText(answer, language))];
  return answer.totals.map((total) => {
    const parts = figuresOf(total, total.currency, language, (name) => {
      const change = total.change?.[name] ?? null;
      return change === null || change === 0
        ? ""
        : ` (${words.changed(percentText(decimalToUnits(Math.abs(change)), language), change > 0)})`;
    });
    return `${words.in(periodText(answer, language))} ${parts}.`;
  });
}

/** A line for each group. */
export function groupLines(answer: MetricsAnswer, language: Language): string[] {
  const words = WORDS[language];
  if (answer.data.length === 0) return [words.nothing(periodText(answer, language))];
  return [
    `${words.in(periodText(answer, language))}`,
    ...answer.data.map(
      (group) => `- ${nameOf(group, language)}: ${figuresOf(group, group.currency, language)}`,
    ),
  ];
}

export function changeLines(answer: ChangeAnswer, language: Language): string[] {
  if (answer.changes.length === 0) return [WORDS[language].nothing(periodText(answer, language))];
  return answer.changes.flatMap(({ sentences }) => sentences[language]);
}

export function anomalyLines(answer: AnomaliesAnswer, language: Language): string[] {
  if (answer.anomalies.length === 0)
    return [WORDS[language].ordinary(periodText(answer, language))];
  return answer.anomalies.slice(0, MOST_TOLD).map(({ sentences }) => `- ${sentences[language]}`);
}

/** Each platform's ratios beside a few figures, with whose those are. */
export function benchmarkLines(answer: MetricsAnswer, language: Language): string[] {
  const words = WORDS[language];
  const lines = answer.data.flatMap((group) =>
    COMPARED.flatMap((name) => {
      const own = group[name];
      const others = (group.benchmarks ?? []).filter(({ metric }) => metric === name);
      if (own === null || others.length === 0) return [];
      const figure = (value: string | number) =>
        metricText(name, decimalToUnits(value), group.currency, language);
      const told = others
        .slice(0, MOST_TOLD)
        .map((one) => `${figure(one.value)} (${sourceOf(answer, one.benchmark, language)})`);
      return [
        `- ${nameOf(group, language)}, ${metricName(name, language)} ${figure(own)}; ${words.beside} ${told.join(words.comma)}`,
      ];
    }),
  );
  return lines.length > 0 ? lines : [words.noBenchmark];
}

/** Whose figure it is. Its name holds a year or a count of its own, so it is told by its id. */
function sourceOf({ benchmarks }: MetricsAnswer, id: string, language: Language): string {
  const period = benchmarks?.find((one) => one.id === id)?.period ?? null;
  const name = id.replace(/_\d{4}$/, "").replaceAll("_", " ");
  return period === null
    ? name
    : `${name}${WORDS[language].comma}${periodText({ period }, language)}`;
}

function nameOf(group: GroupAnswer, language: Language): string {
  const platform = platformName(group.platform ?? "", language);
  return group.campaign === undefined
    ? platform
    : `${quoted(group.campaign, language)} (${platform})`;
}

function figuresOf(
  values: MetricValues,
  currency: string,
  language: Language,
  more: (name: MetricName) => string = () => "",
): string {
  const parts = TOLD.flatMap((name) => {
    const value = values[name];
    if (value === null) return [];
    const figure = metricText(name, decimalToUnits(value), currency, language);
    return [`${metricName(name, language)} ${figure}${more(name)}`];
  });
  return parts.join(WORDS[language].comma);
}

const periodText = ({ period }: Pick<MetricsAnswer, "period">, language: Language) =>
  WORDS[language].period(dayText(period.from, language), dayText(period.to, language));

const WORDS = {
  en: {
    period: (from: string, to: string) => `${from} to ${to}`,
    in: (period: string) => `From ${period}:`,
    nothing: (period: string) => `There is nothing from ${period}.`,
    ordinary: (period: string) => `No day from ${period} was unlike those before it.`,
    changed: (share: string, up: boolean) => `${share} ${up ? "more" : "less"} than before`,
    beside: "others:",
    comma: ", ",
    noBenchmark: "There is no benchmark for these platforms and currencies.",
  },
  fa: {
    period: (from: string, to: string) => `${from} تا ${to}`,
    in: (period: string) => `از ${period}:`,
    nothing: (period: string) => `از ${period} چیزی نیست.`,
    ordinary: (period: string) => `از ${period} هیچ روزی با روزهای پیش از آن ناهمسان نبود.`,
    changed: (share: string, up: boolean) => `${share} ${up ? "بیشتر" : "کمتر"} از پیش`,
    beside: "دیگران:",
    comma: "، ",
    noBenchmark: "برای این سکوها و ارزها شاخصی نیست.",
  },
} satisfies Record<Language, unknown>;
