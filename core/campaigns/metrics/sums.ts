import { z } from "zod";
import { UNITS } from "./exact.ts";

/** What can be added up, in the order of the tables' columns. */
export const SUMS = ["impressions", "clicks", "spend", "conversions", "revenue"] as const;
export type SumName = (typeof SUMS)[number];

/**
 * Sums of facts, each a whole number of millionths; spend and revenue of one currency. Null is "no file says it",
 * which is not 0.
 */
export type Sums = Record<SumName, bigint | null>;

/** A sum as Postgres writes it. */
const sum = z
  .string()
  .nullable()
  .transform((text) => (text === null ? null : BigInt(text)));

/** Sums as a statement gives them: numeric as text, since no driver reads large ones exactly. */
export const sumColumns = {
  impressions: sum,
  clicks: sum,
  spend_micros: sum,
  conversion_micros: sum,
  revenue_micros: sum,
};

const sumRow = z.object(sumColumns);

export function toSums(row: z.output<typeof sumRow>): Sums {
  return {
    impressions: row.impressions === null ? null : row.impressions * UNITS,
    clicks: row.clicks === null ? null : row.clicks * UNITS,
    spend: row.spend_micros,
    conversions: row.conversion_micros,
    revenue: row.revenue_micros,
  };
}

/** Nothing was said of anything. */
export const noSums = (): Sums => ({
  impressions: null,
  clicks: null,
  spend: null,
  conversions: null,
  revenue: null,
});

export function addSums(one: Sums, other: Sums): Sums {
  const added = noSums();
  for (const name of SUMS) {
    const [a, b] = [one[name], other[name]];
    added[name] = a === null || b === null ? (a ?? b) : a + b;
  }
  return added;
}
