import { eq, type SQL } from "drizzle-orm";
import { teams } from "#schema";
import { explainChange } from "../campaigns/explain-change.ts";
import { listBenchmarks } from "../campaigns/list-benchmarks.ts";
import { addDays, type Period, previousPeriod } from "../campaigns/metrics/days.ts";
import { resolvePeriod } from "../campaigns/metrics/period.ts";
import type { RatioName } from "../campaigns/metrics/ratios.ts";
import { selectCampaigns } from "../campaigns/read-metrics.ts";
import { platformName } from "../campaigns/words/names.ts";
import type { Context } from "../kernel/context.ts";
import { requireTeam } from "../kernel/principal.ts";
import { benchmarkOf, buildBenchmarks } from "./build/benchmarks.ts";
import { buildCharts } from "./build/charts.ts";
import { buildKeyFigures, buildSummary } from "./build/figures.ts";
import { buildMovements } from "./build/movements.ts";
import { type ReportData, readReportData } from "./build/report-data.ts";
import { buildTables } from "./build/tables.ts";
import type { Report, ReportLanguage } from "./report.ts";
import { ValueFormat } from "./value-format.ts";
import { contentWords } from "./words/content-words.ts";
import { reportWords } from "./words/report-words.ts";

export interface ReportWish {
  /** Null is all campaigns of the team. */
  campaignIds: string[] | null;
  /** The first day, included; without it, `days` before the last. */
  from: string | null;
  /** The last day, included; without it, the last with data. */
  to: string | null;
  days: number;
  language: ReportLanguage;
  /** Null makes one of the period. */
  title: string | null;
  /** An IANA name, for the time at which it was made. */
  timeZone: string;
}

/** Whose changes are taken apart. */
const EXPLAINED = ["cpa", "roas"] as const satisfies RatioName[];

/**
 * Makes a report of campaigns of the principal's team. Needs the scope `skills`.
 * @throws AppError `missing_scope`, `forbidden`, `not_found` (one of the campaigns), `validation_failed`
 */
export async function buildReport(context: Context, wish: ReportWish): Promise<Report> {
  const { language } = wish;
  const campaigns = wish.campaignIds === null ? {} : { campaign_ids: wish.campaignIds };
  const where = await selectCampaigns(context, campaigns);
  const period = await wantedPeriod(context, wish, where);
  const [data, team, benchmarks, ...changes] = await Promise.all([
    readReportData(context, { where, period }),
    teamName(context),
    listBenchmarks(context, {}),
    ...EXPLAINED.map((metric) => explainChange(context, { ...campaigns, ...period, metric })),
  ]);
  const benchmark = benchmarkOf(benchmarks, data, language);
  return {
    version: 1,
    language,
    direction: language === "fa" ? "rtl" : "ltr",
    cover: {
      title: wish.title ?? defaultTitle(period, language),
      team,
      period: { from: period.from, to: period.to },
      previous: previousPeriod(period),
      scope: scopeSentence(data, wish),
      generatedAt: context.now().toISOString(),
      timeZone: wish.timeZone,
    },
    summary: buildSummary(data, language),
    keyFigures: buildKeyFigures(data, language, benchmark),
    charts: buildCharts(data, language),
    tables: buildTables(data, language),
    movements: changes.flatMap((explained) => buildMovements(explained.changes, language)),
    benchmarks: buildBenchmarks(benchmarks, data, language),
    appendix: appendix(language),
  };
}

async function wantedPeriod(
  context: Context,
  { from, to, days }: ReportWish,
  where: SQL,
): Promise<Period> {
  const ends = { from: from ?? undefined, to: to ?? undefined };
  const period = await resolvePeriod(context, ends, where);
  return from === null ? { from: addDays(period.to, 1 - days), to: period.to } : period;
}

async function teamName(context: Context): Promise<string> {
  const [team] = await context.db
    .select({ name: teams.name })
    .from(teams)
    .where(eq(teams.id, requireTeam(context.principal)));
  return team?.name ?? "";
}

function defaultTitle({ from, to }: Period, language: ReportLanguage): string {
  const format = new ValueFormat(language);
  return contentWords(language).title(reportWords(language).span(format.day(from), format.day(to)));
}

function scopeSentence(data: ReportData, { campaignIds, language }: ReportWish): string {
  const words = contentWords(language);
  if (data.byCampaign.length === 0) return words.none;
  const names = [...new Set(data.byPlatform.map(({ values }) => values[0] ?? ""))];
  const platforms = words.list(names.map((name) => platformName(name, language)));
  const ids = new Set(data.byCampaign.map(({ values }) => values[0]));
  const count = new ValueFormat(language).count(ids.size) + (data.complete ? "" : "+");
  return campaignIds === null ? words.all(count, platforms) : words.some(count, platforms);
}

function appendix(language: ReportLanguage): Report["appendix"] {
  const { howMade, terms } = contentWords(language);
  return [howMade, terms].map(({ title, sentences }) => ({ title, sentences: [...sentences] }));
}
