import type { Choice } from "./choose-reading.ts";
import { ELEMENT, engineValues } from "./maker-file.ts";
import type { Reading } from "./rank-schemas.ts";

/** A value of the answer and where it comes from. */
export interface GatheredValue {
  text: string;
  source: string;
  /** A bit for each position of the VIN that says so; 0 where none does by itself. */
  positions: number;
}

const PLANT: ReadonlySet<number> = new Set([
  ELEMENT.plantCity,
  ELEMENT.plantState,
  ELEMENT.plantCountry,
]);

/**
 * All values that the choice gives, by element: the reading's own; of schemas that know no model, such as lists of
 * plants; the plant where all agree; and what is known of the engine.
 * @param onlyPlant for VINs that nothing confirms as made for North America
 */
export function gatherValues(choice: Choice, onlyPlant: boolean): Map<number, GatheredValue> {
  const values = new Map<number, GatheredValue>();
  if (!onlyPlant) {
    if (choice.reading) addReading(values, choice.reading);
    const shared = choice.readings.filter(
      ({ year, schema }) => year === choice.year && !schema.elements.has(ELEMENT.model),
    );
    for (const one of shared) addReading(values, one);
  }
  const ofYear = choice.readings.filter(({ year }) => onlyPlant || year === choice.year);
  for (const element of PLANT) addAgreed(values, element, ofYear);
  if (choice.maker && !onlyPlant) {
    const model = values.get(ELEMENT.engineModel)?.text;
    if (model !== undefined)
      for (const { element, text } of engineValues(choice.maker.file, model))
        if (!values.has(element))
          values.set(element, { text, source: `vPIC: engine model ${model}`, positions: 0 });
  }
  return values;
}

const sourceOf = ({ schema }: Reading) => `vPIC: ${schema.name}`;

function addReading(values: Map<number, GatheredValue>, reading: Reading): void {
  for (const [element, value] of reading.values) {
    if (value === null || values.has(element)) continue;
    const { text, positions } = value;
    values.set(element, { text, source: sourceOf(reading), positions });
  }
}

/** Takes what all schemas that know the element say alike. */
function addAgreed(
  values: Map<number, GatheredValue>,
  element: number,
  readings: readonly Reading[],
): void {
  if (values.has(element)) return;
  const known = readings.flatMap((reading) => {
    const value = reading.values.get(element);
    return value === undefined ? [] : [{ reading, value }];
  });
  const [first] = known;
  if (!first?.value || known.some(({ value }) => value?.text !== first.value?.text)) return;
  const { text, positions } = first.value;
  values.set(element, { text, source: sourceOf(first.reading), positions });
}
