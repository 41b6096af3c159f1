import { type Bytes, fail, NOT_A_FLOAT, NOT_AN_INTEGER, SYNTAX } from "./reply.ts";

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

/** Redis is strict: no leading zeros, signs or spaces, and 64 bits. */
export function parseBigInteger(text: Bytes, message = NOT_AN_INTEGER): bigint {
  if (!/^(0|-?[1-9]\d{0,18})$/.test(text)) fail(message);
  const value = BigInt(text);
  if (value > INT64_MAX || value < INT64_MIN) fail(message);
  return value;
}

export function parseInteger(text: Bytes, message = NOT_AN_INTEGER): number {
  return Number(parseBigInteger(text, message));
}

export function parseFloatingPoint(text: Bytes, message = NOT_A_FLOAT): number {
  const infinite = /^([+-]?)inf(inity)?$/i.exec(text);
  if (infinite) return infinite[1] === "-" ? -Infinity : Infinity;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) fail(message);
  return Number(text);
}

/** A number as Redis writes it: never in exponents, as JavaScript does from 1e21 on. */
export function formatNumber(value: number): Bytes {
  if (value === Infinity) return "inf";
  if (value === -Infinity) return "-inf";
  if (Object.is(value, -0)) return "-0";
  const text = String(value);
  return text.includes("e+") ? BigInt(value).toString() : text;
}

/** The arguments of one command, read from left to right. */
export class Arguments {
  readonly #items: readonly Bytes[];
  #position: number;

  constructor(items: readonly Bytes[], position = 0) {
    this.#items = items;
    this.#position = position;
  }

  get left(): number {
    return this.#items.length - this.#position;
  }

  next(): Bytes {
    const item = this.#items[this.#position];
    if (item === undefined) fail(SYNTAX);
    this.#position += 1;
    return item;
  }

  integer(message?: string): number {
    return parseInteger(this.next(), message);
  }

  float(message?: string): number {
    return parseFloatingPoint(this.next(), message);
  }

  /** Takes the next argument if it is one of these words, in whatever case. */
  word<Word extends string>(...words: readonly Word[]): Word | undefined {
    const upper = this.#items[this.#position]?.toUpperCase();
    const found = words.find((word) => word === upper);
    if (found !== undefined) this.#position += 1;
    return found;
  }

  /** The next `count` arguments. */
  take(count: number): Bytes[] {
    if (count > this.left) fail(SYNTAX);
    const taken = this.#items.slice(this.#position, this.#position + count);
    this.#position += count;
    return taken;
  }

  rest(): Bytes[] {
    return this.take(this.left);
  }

  /** What follows, two by two, such as fields with their values. */
  pairs(oddMessage = SYNTAX): [Bytes, Bytes][] {
    if (this.left % 2 === 1) fail(oddMessage);
    const found: [Bytes, Bytes][] = [];
    while (this.left > 0) found.push([this.next(), this.next()]);
    return found;
  }

  /** `numkeys key [key …]`. */
  countedKeys(): Bytes[] {
    const count = this.integer("ERR numkeys should be greater than 0");
    if (count < 1) fail("ERR numkeys should be greater than 0");
    return this.take(count);
  }

  /** Ends an option list: whatever is left was not understood. */
  end(): void {
    if (this.left > 0) fail(SYNTAX);
  }
}

/** Turns a first and last index, where negative ones count from the end, into the two ends of a slice. */
export function sliceBounds(first: number, last: number, length: number): [number, number] {
  const start = first < 0 ? Math.max(0, length + first) : first;
  const end = last < 0 ? length + last : Math.min(last, length - 1);
  return [start, Math.max(start, end + 1)];
}
