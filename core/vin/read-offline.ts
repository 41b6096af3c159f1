import { type Choice, chooseReading, ENOUGH_COVERAGE } from "./choose-reading.ts";
import { type GatheredValue, gatherValues } from "./gather-values.ts";
import type { PlausibleVin } from "./inspect-vin.ts";
import { ELEMENT, makerCodeOf, type MakerFile } from "./maker-file.ts";
import { findOtherMaker } from "./other-makers.ts";
import type { Reading } from "./rank-schemas.ts";
import { countryOf } from "./regions.ts";
import type { Confidence } from "./vin-report.ts";

/** What our own data says of a VIN. It holds nothing of the maker's file, which is large. */
export interface OfflineReading {
  vin: string;
  checkDigit: PlausibleVin["checkDigit"];
  /** Whether what vPIC says holds for this VIN: the vehicle was made for North America. */
  confirmed: boolean;
  confidence: Confidence;
  /** Whether vPIC knows the maker's code, and which makes are its. */
  makerKnown: boolean;
  makes: readonly string[];
  manufacturer: string | null;
  make: string | null;
  makerSource: string;
  country: string | null;
  countrySource: string;
  type: string | null;
  typeSource: string;
  values: ReadonlyMap<number, GatheredValue>;
  /** The year, where the VIN is confirmed. */
  year: number | null;
  /** The year that fits best, all that position 10 may stand for, and whether only one is possible. */
  likelyYear: number | null;
  years: readonly number[];
  yearIsSure: boolean;
  /** Other models that fit nearly as well. */
  rivals: readonly string[];
}

/** How much of positions 4 to 8, and of what its schema can say, makes a VIN from elsewhere one of North America. */
const SURE_CHARACTERS = 2;
const SURE_POSITIONS = 3;
const SURE_COVERAGE = 0.6;

/**
 * Reads a VIN with what vPIC's data says of its maker. Pure: the same VIN, file and year give the same.
 * @param inspected what inspectVin said of it
 * @param file the maker's file; null where there is none
 */
export function readOffline(
  inspected: PlausibleVin,
  file: MakerFile | null,
  now: Date,
): OfflineReading {
  const { vin, checkDigit } = inspected;
  const choice = chooseReading(file, vin, now);
  const confirmed = checkDigit.right && (checkDigit.required || isSoldThere(choice));
  const values = gatherValues(choice, !confirmed);
  const maker = makerOf(choice, vin, confirmed ? values : new Map<number, GatheredValue>());
  const country = countryOf(vin);
  const code = `vPIC: maker code ${makerCodeOf(vin)}`;
  return {
    vin,
    checkDigit,
    confirmed,
    confidence: confidenceOf({ choice, confirmed, known: inspected, make: maker.make }),
    makerKnown: choice.maker !== null,
    makes: choice.maker?.entry.makes ?? [],
    manufacturer: maker.manufacturer,
    make: maker.make,
    makerSource: maker.source,
    country: country ?? choice.maker?.entry.country ?? null,
    countrySource: country === null ? code : "VIN: positions 1 and 2",
    type: choice.maker?.entry.type ?? null,
    typeSource: code,
    values,
    year: confirmed ? choice.year : null,
    likelyYear: choice.year,
    years: choice.years,
    yearIsSure: choice.yearIsSure,
    rivals: [...new Set(choice.rivals.flatMap(({ model }) => model ?? []))],
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

function makerOf(
  { maker }: Choice,
  vin: string,
  values: ReadonlyMap<number, GatheredValue>,
): KnownMaker {
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
