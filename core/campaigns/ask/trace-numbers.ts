import { type Numeral, type Reading, readNumerals } from "./numerals.ts";
import { type Around, likeliest, wordsAround } from "./words-around.ts";
import { gatherFacts, type Source, type SourceFacts, type SourceNumber } from "./source-numbers.ts";

/** A number of an answer, and where it comes from. */
export interface TracedNumber {
  text: string;
  /** The query's id; of a number that was worked out, that of the first it was made of. */
  source: string;
  /** Where in the query's arguments or result, or how it was worked out of two such places. */
  from: string;
}

/** A number that no query gave. */
export interface RemovedNumber {
  text: string;
  /** What stood around it. */
  context: string;
}

export interface TracedAnswer {
  /** The answer, with `[…]` in place of each number that was removed. */
  text: string;
  numbers: TracedNumber[];
  removed: RemovedNumber[];
}

/** What stands in place of a removed number. */
export const REMOVED = "[…]";
/** Below this a whole number is a count, and rounding would make it another one. */
const SMALLEST_ROUNDED = 10;
/** What is counted: rows, days, the most that were asked for. */
const COUNTS = new Set(["count", "days", "limit"]);
/** How far "doubled" may be from two. */
const FACTOR_TOLERANCE = 0.1;
/** Letters on each side that are kept to show where a number was. */
const CONTEXT = 40;

interface Found {
  numeral: Numeral;
  trace: TracedNumber | null;
  /** What it was found to be, for numbers that are worked out of it. */
  facts: SourceNumber[];
}

/**
 * Traces each number of an answer to the queries that were made for it, and removes those that cannot be: numbers of
 * results and of what was asked for, days, counts of rows, lengths of periods; and what follows from two numbers of the
 * same metric that stand in the same paragraph, such as their difference or the change between them in percent. A number
 * in a quoted name is part of the name. A number that only the question has is not traced.
 */
export function traceNumbers(answer: string, sources: readonly Source[]): TracedAnswer {
  const facts = gatherFacts(sources);
  const quoted = quotedNames(answer, facts.names);
  const numerals = readNumerals(answer).filter(
    ({ start, end }) => !quoted.some((name) => start >= name.start && end <= name.end),
  );
  const found = numerals.map((numeral) => findDirect(numeral, facts, wordsAround(answer, numeral)));
  const traced = found.map((one) => (one.trace ? one : workedOut(one, found, answer)));
  return rewrite(answer, traced);
}

/** Names stand in quotes, else a campaign called "Revenue 9,000,000" would vouch for any sentence that says so. */
function quotedNames(answer: string, names: ReadonlySet<string>): { start: number; end: number }[] {
  return [...names].flatMap((name) => {
    const places: { start: number; end: number }[] = [];
    for (let at = answer.indexOf(name); at >= 0; at = answer.indexOf(name, at + 1)) {
      const before =
        answer
          .slice(0, at)
          .replace(/[\u2066-\u2069]+$/, "")
          .at(-1) ?? "";
      const after =
        answer
          .slice(at + name.length)
          .replace(/^[\u2066-\u2069]+/, "")
          .at(0) ?? "";
      if (/["“”«»'‘’`„*]/.test(before) && /["“”«»'‘’`*]/.test(after))
        places.push({ start: at, end: at + name.length });
    }
    return places;
  });
}

function findDirect(numeral: Numeral, facts: SourceFacts, around: Around): Found {
  const { counts, metric } = around;
  for (const reading of numeral.readings) {
    if (reading.kind === "date") {
      const date = facts.dates.find(({ day }) => isDate(reading, day));
      if (date) return traced(numeral, date.source, date.path, []);
    } else if (reading.kind === "number") {
      const same = facts.numbers.filter(
        (number) =>
          (counts || !COUNTS.has(number.name)) &&
          (metric === null || reading.percent || number.name === metric) &&
          isSame(reading, number),
      );
      const first = likeliest(same, around);
      if (first) return traced(numeral, first.source, first.path, [first, ...same]);
      const year =
        isYear(reading) && facts.dates.find(({ day }) => day.startsWith(`${reading.value}-`));
      if (year) return traced(numeral, year.source, year.path, []);
    } else {
      const change = facts.numbers.find(
        ({ isShare, name, path, value }) =>
          isShare &&
          (name === "relative" || path.includes(".change.")) &&
          isFactor(reading.value, value + 1),
      );
      if (change) return traced(numeral, change.source, change.path, []);
    }
  }
  return { numeral, trace: null, facts: [] };
}

function traced(numeral: Numeral, source: string, from: string, facts: SourceNumber[]): Found {
  return { numeral, trace: { text: numeral.text, source, from }, facts };
}

const isFactor = (said: number, is: number) => Math.abs(is - said) <= FACTOR_TOLERANCE * said;

const isYear = ({ value, percent }: Extract<Reading, { kind: "number" }>) =>
  !percent && Number.isInteger(value) && value >= 1900 && value < 2200;

function isDate({ year, month, day }: Extract<Reading, { kind: "date" }>, known: string): boolean {
  const [y, m, d] = known.split("-").map(Number);
  return (
    (year === null || year === y) &&
    (month === null || month === m) &&
    (day === null || day === (d ?? day))
  );
}

/** Whether a written number is a known one, rounded to as many places as are written; signs are in the words around. */
function isSame(
  reading: Extract<Reading, { kind: "number" }>,
  { value, isShare }: Pick<SourceNumber, "value" | "isShare">,
): boolean {
  if (!reading.percent) return isRounded(reading, Math.abs(value));
  return isShare && isRounded(reading, Math.abs(value) * 100);
}

function isRounded(
  { value, tolerance, percent }: Extract<Reading, { kind: "number" }>,
  known: number,
): boolean {
  // What is written whole and small is a count: 2 is not 2.3.
  const exact = tolerance >= 0.5 && value < SMALLEST_ROUNDED && !percent;
  const allowed = exact ? 0 : tolerance;
  return Math.abs(known - value) <= allowed + 1e-9 * Math.max(1, known);
}

/** A number that follows from two others of the same metric in the same paragraph. */
function workedOut(one: Found, all: readonly Found[], answer: string): Found {
  const near = all.filter(
    ({ numeral, trace }) =>
      trace !== null &&
      !answer
        .slice(Math.min(numeral.end, one.numeral.end), Math.max(numeral.start, one.numeral.start))
        .includes("\n"),
  );
  const numbers = near.flatMap(({ facts }) => facts.slice(0, 4));
  for (const a of numbers)
    for (const b of numbers) {
      if (a.path === b.path || a.name !== b.name) continue;
      const from = one.numeral.readings
        .map((reading) => derivation(reading, a, b))
        .find((how) => how !== null);
      if (from) return traced(one.numeral, a.source, from, []);
    }
  return one;
}

/** How a number follows from two, if it does. */
function derivation(reading: Reading, a: SourceNumber, b: SourceNumber): string | null {
  const [first, second] = [place(a), place(b)];
  if (reading.kind === "date") return null;
  if (reading.kind === "factor")
    return b.value !== 0 && isFactor(reading.value, a.value / b.value)
      ? `${first} / ${second}`
      : null;
  const is = (value: number) => isRounded(reading, Math.abs(value));
  if (reading.percent) {
    if (b.value !== 0 && is(((a.value - b.value) / b.value) * 100))
      return `(${first} - ${second}) / ${second}`;
    if (b.value !== 0 && is((a.value / b.value) * 100)) return `${first} / ${second}`;
    return a.isShare && is((a.value - b.value) * 100) ? `${first} - ${second}` : null;
  }
  if (is(a.value - b.value)) return `${first} - ${second}`;
  if (is(a.value + b.value)) return `${first} + ${second}`;
  return b.value !== 0 && is(a.value / b.value) ? `${first} / ${second}` : null;
}

const place = ({ source, path }: SourceNumber) => `${source}.${path}`;

function rewrite(answer: string, found: readonly Found[]): TracedAnswer {
  const numbers: TracedNumber[] = [];
  const removed: RemovedNumber[] = [];
  let text = "";
  let position = 0;
  for (const { numeral, trace } of found) {
    text += answer.slice(position, numeral.start);
    if (trace) {
      numbers.push(trace);
      text += numeral.text;
    } else {
      removed.push({
        text: numeral.text,
        context: answer
          .slice(Math.max(0, numeral.start - CONTEXT), numeral.end + CONTEXT)
          .toWellFormed(),
      });
      text += REMOVED;
    }
    position = numeral.end;
  }
  return { text: text + answer.slice(position), numbers, removed };
}
