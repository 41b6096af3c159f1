/** What position 10 stands for, from 1980 on and again from 2010 on. U, Z and 0 stand for no year. */
const YEAR_CODES = "ABCDEFGHJKLMNPRSTVWXY123456789";
const FIRST_YEAR = 1980;
const CYCLE = 30;

/** Kinds of vehicles whose position 7 tells which cycle of years it is. Of `Truck` the light ones only do. */
const LIGHT = new Set(["Passenger Car", "Multipurpose Passenger Vehicle (MPV)"]);

/**
 * The model years that position 10 may stand for, oldest first: its code comes again after 30 years. Makers sell the
 * next year's model from the year before on, so years after that are none.
 */
export function yearsOf(vin: string, now: Date): number[] {
  const index = YEAR_CODES.indexOf(vin.charAt(9));
  if (index < 0) return [];
  const latest = now.getUTCFullYear() + 1;
  return [FIRST_YEAR + index, FIRST_YEAR + index + CYCLE].filter((year) => year <= latest);
}

/**
 * The year that position 7 points to: in light vehicles made for North America it is a digit until model year 2009 and
 * a letter from 2010 on (49 CFR 565.15). The rule binds neither heavy trucks and buses nor motorcycles and trailers.
 * @param type vPIC's kind of vehicle
 * @returns the year, and whether the rule binds this kind of vehicle
 */
export function yearByPosition7(
  vin: string,
  years: readonly number[],
  type: string | null,
): { year: number | null; binding: boolean } {
  const isDigit = vin.charAt(6) >= "0" && vin.charAt(6) <= "9";
  const year = years.find((one) => one < FIRST_YEAR + CYCLE === isDigit) ?? null;
  return { year, binding: type !== null && LIGHT.has(type) };
}

/** Whether position 10 stands for any year. */
export function yearCodeIsUsed(vin: string): boolean {
  return YEAR_CODES.includes(vin.charAt(9));
}
