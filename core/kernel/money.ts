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

/** Prices of tokens, in micro-dollars per million. Those of the provider's prompt cache are the input's, left out. */
export interface TokenPrices {
  inputPerMillionMicros: Micros;
  outputPerMillionMicros: Micros;
  /** Of input that the provider had in its cache. */
  cachedInputPerMillionMicros?: Micros;
  /** Of input that it put into its cache. */
  cacheWritePerMillionMicros?: Micros;
  /** Of input that it put there for an hour; left out, as what it put there otherwise. */
  cacheWrite1hPerMillionMicros?: Micros;
}

/** Tokens by how they are priced. */
export interface PricedTokens {
  /** All input. */
  input: number;
  output: number;
  /** The part of the input that the provider had in its cache. */
  cachedInput?: number;
  /** The part of the input that it put into its cache; none of it was there before. */
  cacheWrite?: number;
  /** The part of that which it put there for an hour. */
  cacheWrite1h?: number;
}

/** What a token of the input costs at most, whatever the provider's cache does with it: writing may cost more than reading. */
export function dearestInput(prices: TokenPrices): Micros {
  const { inputPerMillionMicros: plain } = prices;
  return Math.max(
    plain,
    prices.cachedInputPerMillionMicros ?? plain,
    prices.cacheWritePerMillionMicros ?? plain,
    prices.cacheWrite1hPerMillionMicros ?? plain,
  );
}

/** What a request costs, rounded up to a whole micro-dollar, so that nothing priced is free. Prices are micro-dollars per million tokens. */
export function costMicros(tokens: PricedTokens, prices: TokenPrices): Micros {
  const { input, output, cachedInput = 0, cacheWrite = 0, cacheWrite1h = 0 } = tokens;
  const { inputPerMillionMicros: plain } = prices;
  const write = prices.cacheWritePerMillionMicros ?? plain;
  const total =
    (input - cachedInput - cacheWrite) * plain +
    cachedInput * (prices.cachedInputPerMillionMicros ?? plain) +
    (cacheWrite - cacheWrite1h) * write +
    cacheWrite1h * (prices.cacheWrite1hPerMillionMicros ?? write) +
    output * prices.outputPerMillionMicros;
  return Math.ceil(total / 1_000_000);
}
