import type { ReportLanguage } from "../report.ts";
import { en } from "./en.ts";
import { fa } from "./fa.ts";

/** What renderers write of themselves: headings and labels that every report has. */
export interface ReportWords {
  summary: string;
  keyFigures: string;
  charts: string;
  byDay: string;
  byPlatform: string;
  byCampaign: string;
  whatMoved: string;
  benchmarks: string;
  sources: string;
  appendix: string;
  period: string;
  comparedWith: string;
  preparedFor: string;
  generated: string;
  previous: string;
  /** Before the value of the previous period. */
  before: string;
  benchmark: string;
  change: string;
  value: string;
  metric: string;
  currency: string;
  source: string;
  noData: string;
  chartData: string;
  /** Heads a column of days as the readers write them. */
  localDay: string;
  /** Of `2 of 5`. */
  page(number: string, total: string): string;
  /** A span of days. */
  span(from: string, to: string): string;
  rowsLeftOut(shown: string, total: string): string;
}

const WORDS: Record<ReportLanguage, ReportWords> = { en, fa };

export function reportWords(language: ReportLanguage): ReportWords {
  return WORDS[language];
}
