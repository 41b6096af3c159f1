import { findMaker, type Maker, matchSchemas, type MakerFile } from "./maker-file.ts";
import { yearByPosition7, yearsOf } from "./model-year.ts";
import { type Reading, readSchema } from "./rank-schemas.ts";

/** What a VIN most likely says, as far as vPIC knows. */
export interface Choice {
  maker: Maker | null;
  /** The best explanation; null where no schema says enough. */
  reading: Reading | null;
  /** Every schema that fits somehow, of every possible year, the best first. */
  readings: Reading[];
  /** Those of another model that fit nearly as well. */
  rivals: Reading[];
  /** Null where position 10 stands for no year, or for two that nothing tells apart. */
  year: number | null;
  /** All years that position 10 may stand for. */
  years: number[];
  /** Whether only one year is possible, be it by the rule or by what was made. */
  yearIsSure: boolean;
  /** The year that position 7 points to. */
  yearByRule: number | null;
}

/** By how much a year that position 7 points to counts more, where the rule does not bind that kind of vehicle. */
const RULE_BONUS = 150;
/** A schema whose score is less than this behind is a rival. */
const CLOSE = 100;
/** A schema that says less than this of what it could is of other vehicles, or of ones that it does not know yet. */
export const ENOUGH_COVERAGE = 0.5;

/** Finds out which year and which schema explain a VIN best. */
export function chooseReading(file: MakerFile | null, vin: string, now: Date): Choice {
  const maker = file && findMaker(file, vin);
  const years = yearsOf(vin, now);
  const rule = yearByPosition7(vin, years, maker?.entry.type ?? null);
  const possible = rule.binding && rule.year !== null ? [rule.year] : years;
  const readings = maker
    ? possible.flatMap((year) =>
        matchSchemas(maker, vin, year).map((schema) => readSchema(schema, year)),
      )
    : [];
  const weigh = (one: Reading) => one.score + (one.year === rule.year ? RULE_BONUS : 0);
  const ranked = readings
    .filter(({ values }) => values.size > 0)
    .toSorted((one, other) => weigh(other) - weigh(one));
  const [best] = ranked;
  const withModel = ranked.filter(({ model }) => model !== null);
  const modelYears = new Set(withModel.map(({ year }) => year));
  const yearIsSure = possible.length === 1 || (modelYears.size === 1 && best?.year === rule.year);
  const year = possible.length === 1 ? (possible[0] ?? null) : (withModel[0]?.year ?? rule.year);
  const usable = best && (best.model !== null || best.coverage >= ENOUGH_COVERAGE) ? best : null;
  const reading = usable?.year === year ? usable : null;
  return {
    maker,
    reading,
    readings: ranked,
    rivals: withModel.filter(
      (one) =>
        reading !== null && one.model !== reading.model && weigh(one) > weigh(reading) - CLOSE,
    ),
    year,
    years,
    yearIsSure,
    yearByRule: rule.year,
  };
}
