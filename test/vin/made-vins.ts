import { ELEMENT, type MakerFile } from "#core/vin/maker-file.ts";
import { checkDigitOf, VIN_CHARACTERS } from "#core/vin/vin.ts";

/** A VIN that was made to fit a schema, and what the schema says of it. */
export interface MadeVin {
  vin: string;
  year: number;
  make: string | null;
  model: string;
}

type Schema = MakerFile["schemas"][number];
type Pattern = [keys: string, pairs: number[]];
type Choose = <T>(list: readonly T[]) => T;

const YEAR_CODES = "ABCDEFGHJKLMNPRSTVWXY123456789";
const FIRST_YEAR = 1981;
const LAST_YEAR = 2027;
const LIGHT = /Passenger/;

/** Numbers from 0 to 1 that are the same in each run. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * Makes a VIN of some maker of the file, as the maker would: of some schema and year, with a model and, where they fit
 * together, the other patterns of the schema, and by the rule of position 7. Null where the choice does not come out.
 */
export function makeVin(file: MakerFile, random: () => number): MadeVin | null {
  const choose: Choose = (list) => list[Math.floor(random() * list.length)]!; // never asked of an empty list
  const { code, type, schemas } = choose(file.makers);
  if (schemas.length === 0) return null;
  const [index, from, to] = choose(schemas);
  const schema = file.schemas[index];
  const [first, last] = [Math.max(from, FIRST_YEAR), Math.min(to || LAST_YEAR, LAST_YEAR)];
  if (!schema || last < first) return null;
  const year = first + Math.floor(random() * (last - first + 1));
  const models = patternsOf(schema, ELEMENT.model);
  if (models.length === 0) return null;
  const [keys, pairs] = choose(models);
  const characters = new Map(
    code
      .slice(0, 3)
      .split("")
      .map((character, at) => [at + 1, character]),
  );
  for (const [at, character] of code.slice(3).split("").entries())
    characters.set(12 + at, character);
  characters.set(10, YEAR_CODES.charAt((year - 1980) % YEAR_CODES.length));
  if (!fill(characters, keys, choose)) return null;
  for (const element of elementsOf(schema)) {
    const tried = new Map(characters);
    if (fill(tried, choose(patternsOf(schema, element))[0], choose))
      for (const [position, character] of tried) characters.set(position, character);
  }
  const vin = complete(characters, year, choose);
  const isDigit = vin.charAt(6) >= "0" && vin.charAt(6) <= "9";
  if (LIGHT.test(type ?? "") && isDigit !== year < 2010) return null;
  const text = (element: number) => {
    const at = pairs.findIndex((one, place) => place % 2 === 0 && one === element);
    return at < 0 ? null : (file.texts[pairs[at + 1] ?? -1] ?? null);
  };
  return { vin, year, make: text(ELEMENT.make), model: text(ELEMENT.model) ?? "" };
}

const patternsOf = ([, ...patterns]: Schema, element: number): Pattern[] =>
  patterns.filter(([, pairs]) => pairs.some((one, at) => at % 2 === 0 && one === element));

const elementsOf = ([, ...patterns]: Schema) =>
  new Set(patterns.flatMap(([, pairs]) => pairs.filter((_one, at) => at % 2 === 0)));

/** Puts in what the keys ask for; false where something else stands there. */
function fill(characters: Map<number, string>, keys: string, choose: Choose): boolean {
  let position = 4;
  for (const [part] of keys.matchAll(/\[[^\]]*\]|./g)) {
    if (part === "|") position = 10;
    else if (part === "*") position++;
    else {
      const wanted = new RegExp(part === "#" ? "[0-9]" : part);
      const fitting = [...VIN_CHARACTERS].filter((character) => wanted.test(character));
      const there = characters.get(position);
      if (there === undefined ? fitting.length === 0 : !fitting.includes(there)) return false;
      characters.set(position, there ?? choose(fitting));
      position++;
    }
  }
  return true;
}

/** Fills what is open, with digits at the end and the check digit in its place. */
function complete(characters: Map<number, string>, year: number, choose: Choose): string {
  const digits = [..."0123456789"];
  let vin = "";
  for (let position = 1; position <= 17; position++) {
    const seventh = year < 2010 ? digits : [..."ABCDEFGH"];
    const open = position === 7 ? seventh : position >= 13 ? digits : [...VIN_CHARACTERS];
    vin += position === 9 ? "0" : (characters.get(position) ?? choose(open));
  }
  return vin.slice(0, 8) + checkDigitOf(vin) + vin.slice(9);
}
