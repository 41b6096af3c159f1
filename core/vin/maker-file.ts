import type { KeysMatch } from "./match-keys.ts";
import { matchKeys } from "./match-keys.ts";

/** vPIC's numbers of the elements that the code knows by name. */
export const ELEMENT = {
  bodyClass: 5,
  cylinders: 9,
  displacementCc: 11,
  displacementCi: 12,
  displacementL: 13,
  doors: 14,
  driveType: 15,
  engineModel: 18,
  engineKw: 21,
  fuelPrimary: 24,
  weightClass: 25,
  make: 26,
  model: 28,
  plantCity: 31,
  series: 34,
  transmission: 37,
  trim: 38,
  engineConfiguration: 64,
  fuelSecondary: 66,
  engineHp: 71,
  plantCountry: 75,
  plantState: 77,
  restraint: 121,
  turbo: 135,
  engineMaker: 146,
  weightClassTo: 190,
  airBagsFront: 65,
  airBagsSide: 107,
  airBagsCurtain: 55,
  airBagsKnee: 69,
} as const;

/**
 * One static file: all maker codes with the same first three characters, as scripts/cut-vin-data.mjs writes it. Texts
 * are numbers of `texts`, elements are vPIC's numbers.
 */
export interface MakerFile {
  makers: {
    /** Three characters, or six for makers of less than 1,000 vehicles a year. */
    code: string;
    manufacturer: string | null;
    country: string | null;
    /** vPIC's name of the kind of vehicle, such as `Passenger Car`. */
    type: string | null;
    makes: string[];
    /** Number of the schema, first and last model year; 0 for no last one. */
    schemas: [number, number, number][];
  }[];
  /** The name, then each pattern: its keys, and elements with their texts in turn. */
  schemas: [string, ...[string, number[]][]][];
  /** What is known of an engine model: its text, then elements with their texts in turn. */
  engines: number[][];
  texts: string[];
}

/** A maker code and the file that it stands in. */
export interface Maker {
  file: MakerFile;
  entry: MakerFile["makers"][number];
}

/** A value that a pattern gives. */
export interface MatchedValue extends KeysMatch {
  element: number;
  text: string;
}

/** One schema's patterns, tried on a VIN. */
export interface MatchedSchema {
  name: string;
  values: MatchedValue[];
  /** The elements that it has patterns for, whether one fits or not. */
  elements: ReadonlySet<number>;
}

/** The three or six characters that name the maker: where the third is 9, positions 12 to 14 belong to it. */
export function makerCodeOf(vin: string): string {
  return vin.charAt(2) === "9" ? vin.slice(0, 3) + vin.slice(11, 14) : vin.slice(0, 3);
}

/** The maker of a VIN in its file; null for one that vPIC does not know. */
export function findMaker(file: MakerFile, vin: string): Maker | null {
  const long = makerCodeOf(vin);
  const entry =
    file.makers.find(({ code }) => code === long) ??
    file.makers.find(({ code }) => code === vin.slice(0, 3));
  return entry ? { file, entry } : null;
}

/** All schemas that the maker used in a model year, with what of them fits the VIN. */
export function matchSchemas({ file, entry }: Maker, vin: string, year: number): MatchedSchema[] {
  return entry.schemas.flatMap(([index, from, to]) => {
    const schema = file.schemas[index];
    if (!schema || year < from || (to !== 0 && year > to)) return [];
    return [matchSchema(schema, file.texts, vin)];
  });
}

function matchSchema(
  [name, ...patterns]: MakerFile["schemas"][number],
  texts: string[],
  vin: string,
): MatchedSchema {
  const values: MatchedValue[] = [];
  const elements = new Set<number>();
  for (const [keys, pairs] of patterns) {
    const match = matchKeys(keys, vin);
    for (let at = 0; at + 1 < pairs.length; at += 2) {
      const [element = 0, text = 0] = [pairs[at], pairs[at + 1]];
      elements.add(element);
      if (match) values.push({ element, text: texts[text] ?? "", ...match });
    }
  }
  return { name, values, elements };
}

/** What the file knows of an engine model. */
export function engineValues(file: MakerFile, model: string): { element: number; text: string }[] {
  const engine = file.engines.find(([name]) => name !== undefined && file.texts[name] === model);
  if (!engine) return [];
  const values = [];
  for (let at = 1; at + 1 < engine.length; at += 2)
    values.push({ element: engine[at] ?? 0, text: file.texts[engine[at + 1] ?? 0] ?? "" });
  return values;
}
