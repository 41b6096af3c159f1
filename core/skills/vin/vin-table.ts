import type { Language } from "../skill.ts";
import { escapeMarkdown } from "./escape-markdown.ts";
import {
  faultsOf,
  type ShownVin,
  type ShownWrongVin,
  vehicleName,
  vinCard,
  wrongVinCard,
} from "./vin-card.ts";
import { VIN_WORDS } from "./vin-words.ts";

/** How long the name of a vehicle may be in the table, so that a line fits on a telephone. */
const LONGEST_NAME = 28;

const MARKS = { high: "✓", medium: "~", low: "?" } as const;

/** What several VINs say: one as a card, more as a table with a line each, and below it what is wrong with which. As Markdown. */
export function vinTable(vins: readonly (ShownVin | ShownWrongVin)[], language: Language): string {
  const [only, ...others] = vins;
  if (only && others.length === 0)
    return only.valid ? vinCard(only, language) : wrongVinCard(only, language);
  const words = VIN_WORDS[language];
  const rows = vins.map((one) => {
    const name = one.valid ? vehicleName(one) || words.unknown : "–";
    const mark = one.valid ? MARKS[one.confidence] : "✗";
    return `| ${escapeMarkdown(one.vin)} | ${mark} | ${escapeMarkdown(shortened(name))} |`;
  });
  const wrong = vins.flatMap((one) => (one.valid ? [] : [`- ${wrongLine(one, language)}`]));
  const count = (level: keyof typeof MARKS) =>
    vins.some((one) => one.valid && one.confidence === level)
      ? [`${MARKS[level]} ${words[level]}`]
      : [];
  const legend = [...count("high"), ...count("medium"), ...count("low")].join(" · ");
  return [
    `| VIN | | ${words.vehicle} |`,
    "|---|---|---|",
    ...rows,
    "",
    ...(legend === "" ? [] : [`${words.confidence}: ${legend}`, ""]),
    ...wrong,
  ].join("\n");
}

const shortened = (name: string) =>
  name.length <= LONGEST_NAME ? name : `${name.slice(0, LONGEST_NAME - 1).trimEnd()}…`;

function wrongLine(wrong: ShownWrongVin, language: Language): string {
  const [correction] = wrong.corrections;
  const reason = faultsOf(wrong, language).join(" ");
  const meant =
    correction === undefined ? "" : ` ${VIN_WORDS[language].didYouMean}: \`${correction}\``;
  return `\`${wrong.vin.replaceAll("`", "'")}\`: ${reason}${meant}`;
}
