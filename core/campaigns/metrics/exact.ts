/** How many units make one: every figure is a whole number of millionths, so that sums and differences are exact. */
export const UNITS = 1_000_000n;

/** `numerator / denominator`, rounded to a whole number, halves away from zero. The denominator is above zero. */
export function divideRounded(numerator: bigint, denominator: bigint): bigint {
  const sign = numerator < 0n ? -1n : 1n;
  return sign * ((sign * numerator * 2n + denominator) / (denominator * 2n));
}

/** `numerator / denominator`, rounded down, also below zero. The denominator is above zero. */
export function divideDown(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  return numerator < 0n && quotient * denominator !== numerator ? quotient - 1n : quotient;
}

/** Millionths as a decimal: `1250000n` → `"1.25"`. At least two decimals, or as many as `fewest` says. */
export function unitsToDecimal(units: bigint, fewest = 2): string {
  const absolute = units < 0n ? -units : units;
  const fraction = String(absolute % UNITS)
    .padStart(6, "0")
    .replace(/0+$/, "")
    .padEnd(fewest, "0");
  return `${units < 0n ? "-" : ""}${absolute / UNITS}${fraction === "" ? "" : `.${fraction}`}`;
}

/** Millionths as a JSON number: the one nearest to the decimal, which is exact up to 15 digits. */
export function unitsToNumber(units: bigint): number {
  return Number(unitsToDecimal(units));
}

/** A decimal of up to six places as millionths: `"1.25"` → `1250000n`. */
export function decimalToUnits(decimal: string | number): bigint {
  const text = typeof decimal === "number" ? decimal.toFixed(6) : decimal;
  const [whole = "", fraction = ""] = text.replace("-", "").split(".");
  const units = BigInt(whole + fraction.padEnd(6, "0").slice(0, 6));
  return text.startsWith("-") ? -units : units;
}
