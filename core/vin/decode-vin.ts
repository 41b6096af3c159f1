import { combineSources, type CombinedSources } from "./combine-sources.ts";
import { elementName } from "./element-names.ts";
import { explainPositions } from "./explain-positions.ts";
import type { PlausibleVin } from "./inspect-vin.ts";
import { ELEMENT, type MakerFile } from "./maker-file.ts";
import { readOffline, type OfflineReading } from "./read-offline.ts";
import { regionOf } from "./regions.ts";
import type { ServiceName } from "./services/service-facts.ts";
import { VIN_DATA_VERSION } from "./vin-data.ts";
import type { VinEngine, VinReport } from "./vin-report.ts";
import { warningsOf } from "./vin-warnings.ts";

const LITRES_PER_CUBIC_INCH = 0.016387064;

/**
 * Reads a VIN with what vPIC's data says of its maker, and nothing else. Pure: the same VIN, file and year give the
 * same report.
 * @param inspected what inspectVin said of it
 * @param file the maker's file; null where there is none
 */
export function decodeVin(inspected: PlausibleVin, file: MakerFile | null, now: Date): VinReport {
  const reading = readOffline(inspected, file, now);
  return makeReport(reading, combineSources(reading, []));
}

/**
 * The report of what the sources say together.
 * @param unanswered services that should have been asked and gave no answer
 */
export function makeReport(
  reading: OfflineReading,
  combined: CombinedSources,
  unanswered: readonly ServiceName[] = [],
): VinReport {
  const { vin, country } = reading;
  const { values } = combined;
  const text = (element: number) => values.get(element)?.text ?? null;
  return {
    vin,
    valid: true,
    confidence: combined.confidence,
    country,
    region: regionOf(vin),
    manufacturer: combined.manufacturer?.value ?? null,
    make: combined.make?.value ?? null,
    model: text(ELEMENT.model),
    year: combined.year?.value ?? null,
    series: text(ELEMENT.series),
    trim: text(ELEMENT.trim),
    type: combined.type?.value ?? null,
    body: text(ELEMENT.bodyClass),
    engine: engineOf(text),
    drive: text(ELEMENT.driveType),
    fuel: joined(text(ELEMENT.fuelPrimary), text(ELEMENT.fuelSecondary), " and "),
    plant: plantOf(text),
    safety: text(ELEMENT.restraint) ?? airBagsOf(text),
    weightClass: joined(text(ELEMENT.weightClass), text(ELEMENT.weightClassTo), " to "),
    attributes: attributesOf(reading, combined),
    positions: explainPositions(reading, combined),
    warnings: warningsOf(reading, combined, unanswered),
    source: combined.source,
    sources: combined.sources,
    data: VIN_DATA_VERSION,
  };
}

const joined = (some: string | null, other: string | null, word: string) =>
  some === null || other === null || some === other ? (some ?? other) : some + word + other;

const numberOf = (text: string | null) => {
  const found = text === null ? NaN : Number(text);
  return Number.isFinite(found) ? found : null;
};

type TextOf = (element: number) => string | null;

function engineOf(text: TextOf): VinEngine | null {
  const litres =
    numberOf(text(ELEMENT.displacementL)) ??
    scaled(numberOf(text(ELEMENT.displacementCc)), 1 / 1_000) ??
    scaled(numberOf(text(ELEMENT.displacementCi)), LITRES_PER_CUBIC_INCH);
  const engine = {
    model: text(ELEMENT.engineModel),
    manufacturer: text(ELEMENT.engineMaker),
    configuration: text(ELEMENT.engineConfiguration),
    cylinders: numberOf(text(ELEMENT.cylinders)),
    displacementL: litres,
    powerKw: numberOf(text(ELEMENT.engineKw)),
    turbo: text(ELEMENT.turbo),
  };
  return Object.values(engine).every((value) => value === null) ? null : engine;
}

/** Rounded to the cubic centimetre, as displacements are told. */
const scaled = (value: number | null, by: number) =>
  value === null ? null : Math.round(value * by * 1_000) / 1_000;

function plantOf(text: TextOf): VinReport["plant"] {
  const plant = {
    city: text(ELEMENT.plantCity),
    state: text(ELEMENT.plantState),
    country: text(ELEMENT.plantCountry),
  };
  return Object.values(plant).every((value) => value === null) ? null : plant;
}

const AIR_BAGS: readonly [name: string, element: number][] = [
  ["Front", ELEMENT.airBagsFront],
  ["Side", ELEMENT.airBagsSide],
  ["Curtain", ELEMENT.airBagsCurtain],
  ["Knee", ELEMENT.airBagsKnee],
];

/** NHTSA's service tells air bags each by itself, where our data has one line in the maker's words. */
function airBagsOf(text: TextOf): string | null {
  const lines = AIR_BAGS.flatMap(([name, element]) => {
    const where = text(element);
    return where === null ? [] : [`${name} air bags: ${where}`];
  });
  return lines.length === 0 ? null : lines.join("; ");
}

/** Everything that is known, a line each, with what says so. */
function attributesOf(reading: OfflineReading, combined: CombinedSources) {
  const { manufacturer, make, year, type, values } = combined;
  const lines = [
    { name: "Manufacturer", ...manufacturer },
    { name: "Make", ...(values.has(ELEMENT.make) ? null : make) },
    {
      name: "Country",
      ...(reading.country === null
        ? null
        : { value: reading.country, source: reading.countrySource }),
    },
    { name: "Model year", ...(year && { value: String(year.value), source: year.source }) },
    { name: "Vehicle type", ...type },
    ...[...values].map(([element, { text, source }]) => ({
      name: elementName(element),
      value: text,
      source,
    })),
  ];
  return lines.flatMap(({ name, value, source }) =>
    name === null || value === undefined || source === undefined ? [] : [{ name, value, source }],
  );
}
