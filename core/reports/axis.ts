/** Ends and steps of an axis that holds all values: round numbers, four to six of them, with zero among them. */
export function axisTicks(values: readonly number[]): number[] {
  const highest = Math.max(0, ...values);
  const lowest = Math.min(0, ...values);
  const span = highest - lowest;
  if (span === 0) return [0, 1];
  const step = roundStep(span / 4);
  const first = Math.floor(lowest / step);
  const last = Math.ceil(highest / step);
  return Array.from({ length: last - first + 1 }, (_, index) => round((first + index) * step));
}

/** 1, 2, 2.5 or 5 times a power of ten. */
function roundStep(atLeast: number): number {
  const power = 10 ** Math.floor(Math.log10(atLeast));
  const times = [1, 2, 2.5, 5, 10].find((candidate) => candidate * power >= atLeast * 0.999) ?? 10;
  return times * power;
}

/** Sums of tenths drift: 0.30000000000000004. */
function round(value: number): number {
  return Number(value.toPrecision(12));
}
