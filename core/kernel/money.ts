/** Money inside is an integer number of micro-dollars; at the edge it is a decimal string in US dollars. */
export type Micros = number;

const MICROS_PER_DOLLAR = 1_000_000;

/** `1250` → `"0.001250"`. Always six decimals. */
export function microsToDollars(micros: Micros): string {
  const sign = micros < 0 ? "-" : "";
  const absolute = Math.abs(Math.trunc(micros));
  const dollars = Math.floor(absolute / MICROS_PER_DOLLAR);
  return `${sign}${dollars}.${String(absolute % MICROS_PER_DOLLAR).padStart(6, "0")}`;
}

/** `25000000` → `"25.00"`, `1250` → `"0.00125"`: an amount as people write it, with two decimals or as many as it needs. */
export function microsToAmount(micros: Micros): string {
  return microsToDollars(micros).replace(/0{1,4}$/, "");
}

/**
 * `"0.15"` → `150000`. Takes up to 9 digits before the point and 6 after it.
 * @returns null where the text is no such amount.
 */
export function dollarsToMicros(dollars: string): Micros | null {
  const match = /^(\d{1,9})(?:\.(\d{1,6}))?$/.exec(dollars);
  if (!match) return null;
  return Number(match[1]) * MICROS_PER_DOLLAR + Number((match[2] ?? "").padEnd(6, "0"));
}

/** What a request costs, rounded up to a whole micro-dollar, so that nothing priced is free. Prices are micro-dollars per million tokens. */
export function costMicros(
  tokens: { input: number; output: number },
  prices: { inputPerMillionMicros: Micros; outputPerMillionMicros: Micros },
): Micros {
  const total =
    tokens.input * prices.inputPerMillionMicros + tokens.output * prices.outputPerMillionMicros;
  return Math.ceil(total / 1_000_000);
}
