import { type Choice, chooseReading, ENOUGH_COVERAGE } from "./choose-reading.ts";
import { elementName } from "./element-names.ts";
import { explainPositions } from "./explain-positions.ts";
import { type GatheredValue, gatherValues } from "./gather-values.ts";
import type { PlausibleVin } from "./inspect-vin.ts";
import type { Reading } from "./rank-schemas.ts";
import { ELEMENT, makerCodeOf, type MakerFile } from "./maker-file.ts";
import { findOtherMaker } from "./other-makers.ts";
import { countryOf, regionOf } from "./regions.ts";
import { VIN_DATA_VERSION } from "./vin-data.ts";
import type { Confidence, VinEngine, VinReport } from "./vin-report.ts";
import { warningsOf } from "./vin-warnings.ts";

type Values = ReadonlyMap<number, GatheredValue>;

/** How much of positions 4 to 8, and of what its schema can say, makes a VIN from elsewhere one of North America. */
const SURE_CHARACTERS = 2;
const SURE_POSITIONS = 3;
const SURE_COVERAGE = 0.6;
const LITRES_PER_CUBIC_INCH = 0.016387064;

/**
 * Reads a VIN with what vPIC says of its maker. Pure: the same VIN, file and year give the same report.
 * @param inspected what inspectVin said of it
 * @param file the maker's file; null where there is none
 */
export function decodeVin(inspected: PlausibleVin, file: MakerFile | null, now: Date): VinReport {
  const { vin, checkDigit } = inspected;
  const choice = chooseReading(file, vin, now);
  const confirmed = checkDigit.right && (checkDigit.required || isSoldThere(choice));
  const values = gatherValues(choice, !confirmed);
  const maker = makerOf(choice, vin, confirmed ? values : new Map<number, GatheredValue>());
  const year = confirmed ? choice.year : null;
  const country = countryOf(vin) ?? choice.maker?.entry.country ?? null;
  const text = (element: number) => values.get(element)?.text ?? null;
  const common = { vin, choice, values, country, year, checkDigit };
  return {
    vin,
    valid: true,
    confidence: confidenceOf({ choice, confirmed, known: inspected, make: maker.make }),
    country,
    region: regionOf(vin),
    manufacturer: maker.manufacturer,
    make: maker.make,
    model: text(ELEMENT.model),
    year,
    series: text(ELEMENT.series),
    trim: text(ELEMENT.trim),
    type: choice.maker?.entry.type ?? null,
    body: text(ELEMENT.bodyClass),
    engine: engineOf(text),
    drive: text(ELEMENT.driveType),
    fuel: joined(text(ELEMENT.fuelPrimary), text(ELEMENT.fuelSecondary), " and "),
    plant: plantOf(text),
    safety: text(ELEMENT.restraint),
    weightClass: joined(text(ELEMENT.weightClass), text(ELEMENT.weightClassTo), " to "),
    attributes: attributesOf({ ...common, maker }),
    positions: explainPositions({ ...common, maker: maker.manufacturer ?? maker.make }),
    warnings: warningsOf({
      inspected,
      choice,
      confirmed,
      make: maker.make,
      model: text(ELEMENT.model),
    }),
    source: "offline",
    data: VIN_DATA_VERSION,
  };
}

/**
 * Whether a VIN from outside North America is of a vehicle that was made for it: its check digit is right, its year is
 * the one of position 7, and a pattern of the maker names its model by several characters, or a schema explains most of
 * positions 4 to 8. A check digit is right by chance once in eleven times, but then the descriptor is still one that
 * was sold there.
 */
function isSoldThere({ reading, year, yearByRule, yearIsSure }: Choice): boolean {
  if (!reading || reading.model === null || !yearIsSure || year !== yearByRule) return false;
  const specific = reading.values.get(ELEMENT.model)?.specific ?? 0;
  return specific >= SURE_CHARACTERS || explainsMost(reading);
}

function explainsMost({ values, coverage }: Reading): boolean {
  let positions = 0;
  for (const value of values.values()) positions |= value?.positions ?? 0;
  const explained = [4, 5, 6, 7, 8].filter((position) => positions & (1 << (position - 1)));
  return explained.length >= SURE_POSITIONS && coverage >= SURE_COVERAGE;
}

interface KnownMaker {
  manufacturer: string | null;
  make: string | null;
  source: string;
}

function makerOf({ maker }: Choice, vin: string, values: Values): KnownMaker {
  const other = findOtherMaker(vin);
  if (!maker) {
    const source = "list of maker codes outside vPIC";
    return { manufacturer: other?.manufacturer ?? null, make: other?.make ?? null, source };
  }
  const { manufacturer, makes, code } = maker.entry;
  const only = makes.length === 1 ? (makes[0] ?? null) : null;
  const make = values.get(ELEMENT.make)?.text ?? only ?? other?.make ?? null;
  return { manufacturer, make, source: `vPIC: maker code ${code}` };
}

/** `high` where nothing is open, `low` where no more than the maker is known. */
function confidenceOf(of: {
  choice: Choice;
  confirmed: boolean;
  known: PlausibleVin;
  make: string | null;
}): Confidence {
  const { choice, confirmed, known, make } = of;
  if (!confirmed || make === null || choice.year === null) return "low";
  const { reading, yearIsSure, rivals } = choice;
  if (!reading || reading.model === null) return yearIsSure ? "medium" : "low";
  // Nothing but the patterns shows that a VIN from elsewhere belongs here, so they have to say more.
  const enough = known.checkDigit.required
    ? reading.coverage >= ENOUGH_COVERAGE
    : explainsMost(reading);
  return enough && yearIsSure && rivals.length === 0 ? "high" : "medium";
}

const joined = (some: string | null, other: string | null, word: string) =>
  some === null || other === null || some === other ? (some ?? other) : some + word + other;

const numberOf = (text: string | null) => {
  const found = text === null ? NaN : Number(text);
  return Number.isFinite(found) ? found : null;
};

function engineOf(text: (element: number) => string | null): VinEngine | null {
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

function plantOf(text: (element: number) => string | null): VinReport["plant"] {
  const plant = {
    city: text(ELEMENT.plantCity),
    state: text(ELEMENT.plantState),
    country: text(ELEMENT.plantCountry),
  };
  return Object.values(plant).every((value) => value === null) ? null : plant;
}

interface Known {
  vin: string;
  maker: KnownMaker;
  country: string | null;
  year: number | null;
  choice: Choice;
  values: Values;
}

/** Everything that is known, a line each, with what says so. */
function attributesOf({ vin, maker, country, year, choice, values }: Known) {
  const code = `vPIC: maker code ${makerCodeOf(vin)}`;
  const lines = [
    { name: "Manufacturer", value: maker.manufacturer, source: maker.source },
    { name: "Make", value: values.has(ELEMENT.make) ? null : maker.make, source: maker.source },
    {
      name: "Country",
      value: country,
      source: countryOf(vin) === null ? code : "VIN: positions 1 and 2",
    },
    { name: "Model year", value: year === null ? null : String(year), source: "VIN: position 10" },
    { name: "Vehicle type", value: choice.maker?.entry.type ?? null, source: code },
    ...[...values].map(([element, { text, source }]) => ({
      name: elementName(element),
      value: text,
      source,
    })),
  ];
  return lines.flatMap(({ name, value, source }) =>
    name === null || value === null ? [] : [{ name, value, source }],
  );
}
