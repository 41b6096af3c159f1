import type { z } from "zod";
import type { Language } from "../skill.ts";
import type { vinShape } from "./vin-shape.ts";

type Vin = z.output<typeof vinShape>;

const WORDS = {
  en: {
    maker: "Maker",
    country: "Country",
    body: "Body",
    engine: "Engine",
    drive: "Drive",
    fuel: "Fuel",
    plant: "Plant",
    confidence: "Confidence",
    high: "high",
    medium: "medium",
    low: "low",
    cylinders: "cylinders",
  },
  de: {
    maker: "Hersteller",
    country: "Land",
    body: "Aufbau",
    engine: "Motor",
    drive: "Antrieb",
    fuel: "Kraftstoff",
    plant: "Werk",
    confidence: "Sicherheit",
    high: "hoch",
    medium: "mittel",
    low: "gering",
    cylinders: "Zylinder",
  },
  fa: {
    maker: "سازنده",
    country: "کشور",
    body: "بدنه",
    engine: "موتور",
    drive: "محور محرک",
    fuel: "سوخت",
    plant: "کارخانه",
    confidence: "اطمینان",
    high: "بالا",
    medium: "متوسط",
    low: "کم",
    cylinders: "سیلندر",
  },
} satisfies Record<Language, Record<string, string>>;

/** What a VIN says on a few lines, as Markdown. */
export function vinCard(vin: Vin, language: Language): string {
  const words = WORDS[language];
  const title = [vin.year, vin.make ?? vin.manufacturer, vin.model, vin.trim]
    .filter((part) => part !== null)
    .join(" ");
  const { engine, plant } = vin;
  const engineText = [
    engine?.displacement_l ? `${engine.displacement_l} L` : null,
    engine?.cylinders ? `${engine.cylinders} ${words.cylinders}` : null,
    engine?.power_kw ? `${engine.power_kw} kW` : null,
  ].filter((part) => part !== null);
  const lines: [string, string | null][] = [
    [words.maker, vin.manufacturer],
    [words.country, vin.country],
    [words.body, vin.body],
    [words.engine, engineText.join(", ") || null],
    [words.drive, vin.drive],
    [words.fuel, vin.fuel],
    [words.plant, plant && [plant.city, plant.state, plant.country].filter(Boolean).join(", ")],
    [words.confidence, words[vin.confidence]],
  ];
  return [
    `**${title || vin.vin}**`,
    `\`${vin.vin}\``,
    "",
    ...lines.flatMap(([name, value]) => (value ? [`${name}: ${value}`] : [])),
    ...vin.warnings.map(({ message }) => `⚠️ ${message}`),
  ].join("\n");
}
