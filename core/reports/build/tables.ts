import type { MetricName } from "../../campaigns/metrics/metric-values.ts";
import type { Group } from "../../campaigns/metrics/read-groups.ts";
import { cleanName } from "../../campaigns/words/figures.ts";
import { platformName } from "../../campaigns/words/names.ts";
import type { Column, Report, ReportLanguage, Table, Value } from "../report.ts";
import { ValueFormat } from "../value-format.ts";
import { contentWords } from "../words/content-words.ts";
import { reportWords } from "../words/report-words.ts";
import { kindOf, metricNumber } from "./metric-kinds.ts";
import type { ReportData } from "./report-data.ts";

const COLUMNS = [
  "impressions",
  "clicks",
  "spend",
  "conversions",
  "revenue",
  "ctr",
  "cpc",
  "cpa",
  "roas",
] as const satisfies MetricName[];

/** The tables by day, platform and campaign. Where there are several currencies, each row names its own. */
export function buildTables(data: ReportData, language: ReportLanguage): Report["tables"] {
  const words = contentWords(language);
  const { byDay, byPlatform, byCampaign } = reportWords(language);
  const currencies = data.totals.map(({ currency }) => currency);
  const platform = (name: string | undefined) => platformName(name ?? "", language);
  const make = (title: string, groups: readonly Group[], names: NamedColumns) =>
    table({ title, groups, names, totals: data.totals, currencies, language });
  const campaigns = make(byCampaign, data.byCampaign, {
    columns: [
      { key: "campaign", label: words.campaign, kind: "text" },
      { key: "platform", label: words.platform, kind: "text" },
    ],
    values: ({ campaign }) => [cleanName(campaign?.name ?? ""), platform(campaign?.platform)],
  });
  return {
    byDay: make(byDay, data.byDay, {
      columns: [{ key: "day", label: words.day, kind: "date" }],
      values: ({ values }) => [values[0] ?? ""],
    }),
    byPlatform: make(byPlatform, data.byPlatform, {
      columns: [{ key: "platform", label: words.platform, kind: "text" }],
      values: ({ values }) => [platform(values[0])],
    }),
    byCampaign: data.complete
      ? campaigns
      : {
          ...campaigns,
          note: words.rowsCut(new ValueFormat(language).count(campaigns.rows.length)),
        },
  };
}

/** What a group is called. */
interface NamedColumns {
  columns: Column[];
  values(group: Group): Value[];
}

interface TableParts {
  title: string;
  groups: readonly Group[];
  names: NamedColumns;
  totals: readonly Group[];
  currencies: readonly string[];
  language: ReportLanguage;
}

function table(parts: TableParts): Table {
  const { title, groups, names, totals, currencies, language } = parts;
  const words = contentWords(language);
  const several = currencies.length > 1;
  const metrics = COLUMNS.filter((metric) =>
    totals.some(({ current }) => metricNumber(metric, current) !== null),
  );
  const ofCurrency = ({ currency }: Group): Value[] => (several ? [currency] : []);
  const numbers = ({ current }: Group) => metrics.map((metric) => metricNumber(metric, current));
  const blank = names.columns.slice(1).map(() => null);
  return {
    title,
    columns: [
      ...names.columns,
      ...(several ? [{ key: "currency", label: words.currency, kind: "text" } as const] : []),
      ...metrics.map((metric) => ({
        key: metric,
        label: words.metrics[metric],
        kind: kindOf(metric),
      })),
    ],
    rows: groups.map((group) => [...names.values(group), ...ofCurrency(group), ...numbers(group)]),
    currency: several ? { column: names.columns.length } : { code: currencies[0] ?? "XXX" },
    // One row needs no sum below it that says the same again.
    totals:
      groups.length > totals.length
        ? totals.map((group) => [words.total, ...blank, ...ofCurrency(group), ...numbers(group)])
        : [],
    note: several ? words.severalCurrencies : null,
  };
}
