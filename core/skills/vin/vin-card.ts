import type { z } from "zod";
import type { Language } from "../skill.ts";
import { escapeMarkdown } from "./escape-markdown.ts";
import type { vinShape, wrongVinShape } from "./vin-shape.ts";
import { isolated, sourceName, VIN_WORDS } from "./vin-words.ts";

export type ShownVin = z.output<typeof vinShape>;
export type ShownWrongVin = z.output<typeof wrongVinShape>;

/** What a vehicle is called: year, make, model and trim, as far as they are known. */
export function vehicleName({ year, make, manufacturer, model, trim }: ShownVin): string {
  return [year, make ?? manufacturer, model, trim].filter((part) => part !== null).join(" ");
}

/** What a VIN says on a few lines, as Markdown. */
export function vinCard(vin: ShownVin, language: Language): string {
  const words = VIN_WORDS[language];
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  const { engine, plant } = vin;
  const engineText = [
    engine?.displacement_l ? `${engine.displacement_l} L` : null,
    engine?.configuration ?? null,
    engine?.cylinders ? words.cylinders(number.format(engine.cylinders)) : null,
    engine?.power_kw ? `${Math.round(engine.power_kw)} kW` : null,
    engine?.model ?? null,
  ].filter((part) => part !== null);
  const lines: [string, string | null][] = [
    [words.maker, vin.manufacturer],
    [words.country, vin.country],
    [words.kind, vin.type],
    [words.body, vin.body],
    [words.engine, engineText.join(", ") || null],
    [words.drive, vin.drive],
    [words.fuel, vin.fuel],
    [words.plant, plant && [plant.city, plant.state, plant.country].filter(Boolean).join(", ")],
    [words.weight, vin.weight_class],
  ];
  const sources = vin.sources.map((source) => sourceName(words, source)).join(", ");
  const doubts = new Set(vin.warnings.map(({ code }) => words.warnings[code]));
  return [
    `**${escapeMarkdown(vehicleName(vin) || vin.vin)}**`,
    `\`${vin.vin}\``,
    "",
    ...lines.flatMap(([name, value]) =>
      value ? [`${name}: ${isolated(escapeMarkdown(value), language)}`] : [],
    ),
    `${words.confidence}: ${words[vin.confidence]} · ${words.sources}: ${isolated(sources, language)}`,
    ...[...doubts].map((doubt) => `⚠️ ${doubt}`),
  ].join("\n");
}

/** What is wrong with a text that is no VIN, as Markdown. */
export function wrongVinCard(wrong: ShownWrongVin, language: Language): string {
  const words = VIN_WORDS[language];
  const [correction] = wrong.corrections;
  const more = wrong.corrections.slice(1).map((vin) => `\`${vin}\``);
  return [
    `**${words.notAVin}**`,
    `\`${wrong.vin.replaceAll("`", "'")}\``,
    "",
    ...faultsOf(wrong, language),
    ...(correction === undefined ? [] : ["", `${words.didYouMean}: \`${correction}\``, ...more]),
  ].join("\n");
}

/** Its faults, a sentence each. */
export function faultsOf({ vin, errors }: ShownWrongVin, language: Language): string[] {
  const length = new Intl.NumberFormat(language).format([...vin].length);
  return errors.map(({ code }) => VIN_WORDS[language].faults[code](length));
}
