import { ELEMENT, type MatchedSchema, type MatchedValue } from "./maker-file.ts";

/** A schema as an explanation of a VIN, and how well it fits. */
export interface Reading {
  year: number;
  schema: MatchedSchema;
  /** Of each element the value whose pattern asks for the most; null where equally good ones differ. */
  values: Map<number, MatchedValue | null>;
  model: string | null;
  make: string | null;
  /** How much of what the schema could say it says of this VIN, from 0 to 1. */
  coverage: number;
  score: number;
}

/** What each part of the fit counts. */
const WEIGHT = { model: 1_000, coverage: 300, modelSpecific: 12, specific: 0.1 };

/** How well a schema explains a VIN. A schema that leaves open what it usually knows is of other vehicles. */
export function readSchema(schema: MatchedSchema, year: number): Reading {
  const values = bestValues(schema.values);
  const model = values.get(ELEMENT.model) ?? null;
  const matched = new Set(schema.values.map(({ element }) => element));
  const coverage = schema.elements.size === 0 ? 0 : matched.size / schema.elements.size;
  let specific = 0;
  for (const value of schema.values) specific += value.specific;
  const score =
    (model ? WEIGHT.model + WEIGHT.modelSpecific * model.specific : 0) +
    WEIGHT.coverage * coverage +
    WEIGHT.specific * specific;
  return {
    year,
    schema,
    values,
    model: model?.text ?? null,
    make: values.get(ELEMENT.make)?.text ?? null,
    coverage,
    score,
  };
}

/** The best value of each element: the one that asks for the most characters. */
function bestValues(values: readonly MatchedValue[]): Map<number, MatchedValue | null> {
  const best = new Map<number, MatchedValue>();
  const tied = new Set<number>();
  for (const value of values) {
    const other = best.get(value.element);
    if (!other || value.specific > other.specific) {
      best.set(value.element, value);
      tied.delete(value.element);
    } else if (value.specific === other.specific && value.text !== other.text) {
      tied.add(value.element);
    }
  }
  return new Map([...best].map(([element, value]) => [element, tied.has(element) ? null : value]));
}
