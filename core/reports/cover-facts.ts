import type { Period, Report } from "./report.ts";
import type { ValueFormat } from "./value-format.ts";
import type { ReportWords } from "./words/report-words.ts";

/** From the first to the last day of a period, in words. */
export function spanOf({ from, to }: Period, words: ReportWords, format: ValueFormat): string {
  return words.span(format.day(from), format.day(to));
}

/** What a cover says below its title, each with what it is: for whom, of when, compared with when, made when. */
export function coverFacts(
  { team, period, previous, generatedAt, timeZone }: Report["cover"],
  words: ReportWords,
  format: ValueFormat,
): [label: string, value: string][] {
  return [
    [words.preparedFor, team],
    [words.period, spanOf(period, words, format)],
    ...(previous === null
      ? []
      : [[words.comparedWith, spanOf(previous, words, format)] satisfies [string, string]]),
    [words.generated, format.moment(generatedAt, timeZone)],
  ];
}
