import { unitsToNumber } from "../../campaigns/metrics/exact.ts";
import { relativeChange } from "../../campaigns/metrics/metric-values.ts";
import type { ExplainedChange } from "../../campaigns/explain-change.ts";
import { cleanName } from "../../campaigns/words/figures.ts";
import { platformName } from "../../campaigns/words/names.ts";
import type { Movement, ReportLanguage, Value } from "../report.ts";
import { contentWords } from "../words/content-words.ts";
import { isChange, kindOf } from "./metric-kinds.ts";

/** Campaigns that are named; the others are one row, so that the parts still add up to the change. */
const MOST_NAMED = 12;

/** What made a ratio change, for each currency in which it did. */
export function buildMovements(
  changes: readonly ExplainedChange[],
  language: ReportLanguage,
): Movement[] {
  return changes
    .filter(
      ({ before, after, change }) =>
        // From nothing to something is one, however little.
        change !== null && change !== 0n && isChange(relativeChange(before, after) ?? 1),
    )
    .map((explained) => movement(explained, language));
}

function movement(explained: ExplainedChange, language: ReportLanguage): Movement {
  const { metric, currency, change, members, sentences } = explained;
  const words = contentWords(language);
  const named = members.filter(({ part }) => part !== 0n).slice(0, MOST_NAMED);
  const rest = (change ?? 0n) - named.reduce((sum, { part }) => sum + part, 0n);
  const rows: Value[][] = named.map(({ member, part }) => [
    member.name === null ? words.others : cleanName(member.name),
    platformName(member.platform, language),
    unitsToNumber(part),
  ]);
  if (members.length > named.length) rows.push([words.others, null, unitsToNumber(rest)]);
  const title = words.change(words.metrics[metric]);
  return {
    title: currency === "XXX" ? title : `${title} (${currency})`,
    sentences: sentences[language],
    table: {
      title,
      columns: [
        { key: "campaign", label: words.campaign, kind: "text" },
        { key: "platform", label: words.platform, kind: "text" },
        { key: "part", label: words.part, kind: kindOf(metric) },
      ],
      rows,
      currency: { code: currency },
      totals: [[words.total, null, unitsToNumber(change ?? 0n)]],
      note: null,
    },
  };
}
